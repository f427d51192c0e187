import { describe, expect, it } from 'vitest'
import { StepFault, type Facts } from '../../../src/databases/step.ts'
import { createLoginRotator, type Ask, type LoginRotator } from './login.ts'

const signal = new AbortController().signal
const open = (tweak: Partial<LoginRotator> = {}, facts: Facts = {}) => {
  const asked: Ask[] = []
  const rotator = createLoginRotator({
    slots: ['a', 'b'],
    usual: 'app',
    outputs: ['username', 'password'],
    inPlace: false,
    countsSessions: true,
    ask: (what) => {
      asked.push(what)
      return Promise.resolve(facts)
    },
    ...tweak,
  })
  return { rotator, asked }
}

describe('a rotator of a login', () => {
  it('makes passwords that may stand in a URL, each another one', async () => {
    const { rotator } = open()
    const [one, two] = [await rotator.make('a'), await rotator.make('b')]
    expect(one).toMatchObject({ slot: 'a', values: { username: 'a' } })
    expect(one.values['password']).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(one.values['password']).not.toBe(two.values['password'])
  })

  it.each([
    ['b', { ended: true, sessions: 0 }, { sessions: 2 }],
    ['b', { ended: true, sessions: 0 }, { sessions: 0 }],
    ['b', { sessions: 0 }, { sessions: 2 }],
    [undefined, { sessions: 0 }, { sessions: 0 }],
    [undefined, { sessions: 1 }, { sessions: 2 }],
  ] as const)(
    'finds that %s is idle, where the outputs hold nothing that is accepted',
    async (idle, ofB: Facts, ofA: Facts) => {
      const ask = ({ login }: Ask) => Promise.resolve(login?.username === 'b' ? ofB : ofA)
      const found = open({ ask }).rotator.find!(signal)
      if (idle === undefined) {
        await expect(found).rejects.toThrow(/a and b both accept passwords/)
        return
      }
      const { running, ...rest } = await found
      expect(rest).toEqual({ idle })
      expect(running).toMatchObject({ slot: 'a', values: { username: 'a' } })
    },
  )

  it('knows the login of a credential by its name, its slot, or as the one that is adopted', async () => {
    const { rotator, asked } = open()
    const values = { password: 'x' }
    await rotator.revoke({ slot: undefined, values: { ...values, username: 'b' } }, '1', signal)
    await rotator.revoke({ slot: 'a', values }, '1', signal)
    await rotator.revoke({ slot: undefined, values }, '1', signal)
    expect(asked.map(({ login }) => login?.username)).toEqual(['b', 'a', 'app'])
  })

  it.each([
    [{ outputs: ['password'] }, /no secret for the username, and logins take turns/],
    [{ outputs: ['username'] }, /no secret for the password/],
    [{ slots: ['a'] }, /one login cannot take turns: give two, or say inPlace/],
  ] as const)('finds before a start that %o cannot be', async (tweak, fault) => {
    const { rotator } = open(tweak, { faults: ['and one of the database'] })
    expect(await rotator.preflight(signal)).toEqual([
      expect.stringMatching(fault),
      'and one of the database',
    ])
  })

  it.each([
    [{ username: 'other_app', password: 'x' }, /holds "other_app", which is neither one of a, b/],
    [{ username: 'a', password: 'x\n\\! id' }, /holds a line break or a NUL/],
  ])('takes over no other login than its own: %o', async (now, fault) => {
    const { rotator, asked } = open({ current: () => Promise.resolve(now) })
    expect(await rotator.preflight(signal)).toEqual([expect.stringMatching(fault)])
    expect(asked).toEqual([])
    const adopting = open({
      adopt: 'other_app',
      current: () => Promise.resolve({ username: 'other_app' }),
    })
    expect(await adopting.rotator.preflight(signal)).toEqual([])
  })

  it('passes on what the database warns of', async () => {
    const warnings: string[] = []
    const { rotator } = open({}, { warnings: ['app is a superuser'] })
    expect(await rotator.preflight(signal, (one) => warnings.push(one))).toEqual([])
    expect(warnings).toEqual(['app is a superuser'])
  })

  it('says a number of sessions only where one was told', async () => {
    const old = { slot: 'a', values: {} }
    const told = { sessions: 0, canLogIn: true }
    expect(await open({}, told).rotator.stillUsed(old, signal)).toMatchObject(told)
    await expect(open().rotator.stillUsed(old, signal)).rejects.toThrow(
      /not told how many sessions/,
    )
    const { rotator, asked } = open({ countsSessions: false })
    expect(await rotator.stillUsed(old, signal)).toEqual({ sessions: undefined, from: [] })
    expect(asked).toEqual([])
  })

  it('tells what the database or its agent said as a fault of the rotator', async () => {
    const { rotator } = open({ ask: () => Promise.reject(new StepFault('Refused', 'too old')) })
    await expect(rotator.test({ slot: 'a', values: {} }, signal)).rejects.toMatchObject({
      name: 'RotatorFault',
      kind: 'Refused',
      message: 'too old',
    })
  })

  it('scrambles a login that takes turns, and no other', async () => {
    const { rotator, asked } = open()
    await rotator.disable('b', signal)
    await rotator.disable(undefined, signal)
    expect(asked.map(({ step, login }) => [step, login?.username])).toEqual([['scramble', 'b']])
  })
})
