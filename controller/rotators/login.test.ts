import { describe, expect, it } from 'vitest'
import { StepFault, type Facts } from '../../src/databases/step.ts'
import { createLoginRotator, type Ask, type LoginRotator } from './login.ts'

const signal = new AbortController().signal
const open = (tweak: Partial<LoginRotator> = {}, facts: Facts = {}) => {
  const asked: Ask[] = []
  const rotator = createLoginRotator({
    ...{ slots: ['a', 'b'], usual: 'app', outputs: ['username', 'password'], inPlace: false },
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
    await rotator.scramble('b', signal)
    await rotator.scramble(undefined, signal)
    expect(asked.map(({ step, login }) => [step, login?.username])).toEqual([['scramble', 'b']])
  })
})
