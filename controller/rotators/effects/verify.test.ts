import { describe, expect, it } from 'vitest'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { createFakeClock } from '../../../test/support/fake-clock.ts'
import { idleFaults } from './logins.ts'
import { RotatorFault, type Accepted } from '../providers/rotator.ts'
import { verify } from './verify.ts'
import type { EffectContext } from './work.ts'

type Answer = Accepted | RotatorFault
interface Given {
  readonly status: RotationStatus
  /** What the database says of each password. */
  readonly answers?: Readonly<Record<string, Answer>>
  readonly staged?: readonly ('new' | 'old')[]
  readonly inPlace?: boolean
  readonly used?: { readonly sessions: number; readonly canLogIn: boolean }
}

const mark = { at: '2026-03-02T12:00:00Z', takenAt: '2026-03-01T12:00:00Z', message: '' }

const workOf = ({
  status,
  answers = {},
  staged = [],
  inPlace = false,
  used,
}: Given): EffectContext => {
  const clock = createFakeClock()
  const secret = { metadata: { namespace: 'default', name: 'p' }, status: { version: 3 } }
  const work = {
    store: {
      revealSecret: () => Promise.resolve({ value: Buffer.from('now') }),
      list: () => Promise.resolve({ items: [] }),
    },
    staged: {
      open: (_: unknown) => {
        const { role } = _ as { role: 'new' | 'old' }
        return Promise.resolve(
          staged.includes(role) ? { slot: role, values: { password: role } } : undefined,
        )
      },
    },
    rotator: {
      slots: inPlace ? ['app'] : ['a', 'b'],
      checkAccepted: ({ values }: { values: Record<string, string> }) => {
        const said = answers[values['password'] ?? '']
        return said instanceof RotatorFault ? Promise.reject(said) : Promise.resolve(said)
      },
      stillUsed: () => Promise.resolve({ from: [], ...used }),
    },
    rotation: {
      metadata: { uid: 'u', namespace: 'default', name: 'db' },
      spec: {
        projectRef: { name: 'shop' },
        rotator: { postgres: {} },
        outputs: { password: 'p' },
        overlap: '10m',
        inPlace,
      },
    },
    gathered: {
      outputs: new Map([['password', secret]]),
      facts: { faults: [], away: [], proof: { blockedBy: [], rolling: [] } },
    },
    status,
    clock,
    nowMs: clock.now(),
    signal: new AbortController().signal,
  }
  return work as unknown as EffectContext
}

const proving: RotationStatus = {
  phase: 'Proving',
  attempt: 5,
  hasOld: true,
  step: 'Switch',
  versions: { password: 3 },
  restored: { ...mark, state: 'Refused' },
  tries: 1,
}
const failed = new RotatorFault('Failed', 'the service has forgotten it')

describe('the test of the credentials of a backup', () => {
  it('keeps what it has seen of the outputs where another credential has no answer', async () => {
    const answers = { now: 'refused', new: failed } as const
    const { status } = await verify(workOf({ status: proving, answers, staged: ['new', 'old'] }))
    expect(status.restored?.state).toBe('Refused')
    expect(status).toMatchObject({ phase: 'Proving', tries: 2 })
  })

  it('gives the attempt of then up where its credential has no answer again and again', async () => {
    const status = { ...proving, tries: 5 }
    const answers = { now: 'refused', new: failed } as const
    const next = await verify(workOf({ status, answers, staged: ['new', 'old'] }))
    expect(next.status).toMatchObject({ cause: 'Refused', restored: { state: 'Renewing' } })
  })

  it('ends the versions of an old credential that is found dead', async () => {
    const answers = { now: 'accepted', new: 'accepted', old: 'refused' } as const
    const next = await verify(workOf({ status: proving, answers, staged: ['new', 'old'] }))
    expect(next.status.revokeStartedAt).toBeTypeOf('string')
    const ended: unknown[] = []
    const revokeVersions = (ref: { name: string }, version: number): Promise<void> => {
      ended.push([ref.name, version])
      return Promise.resolve()
    }
    await next.write?.({ revokeVersions } as never)
    expect(ended).toEqual([['p', 3]])
  })
})

describe('the login that is changed after a restore', () => {
  const status: RotationStatus = { cause: 'Refused', ownSlots: ['b', 'app'] }
  const candidate = { slot: 'b', values: { username: 'b', password: 'x' } }

  it('is the one login of a rotation in place, whoever has sessions', async () => {
    const used = { sessions: 7, canLogIn: true }
    const one = { slot: 'app', values: { username: 'app', password: 'x' } }
    expect(await idleFaults(workOf({ status, inPlace: true, used }), one, undefined)).toEqual([])
  })

  it('accepts nothing; else it is said how a person makes it so', async () => {
    const open = workOf({ status, used: { sessions: 0, canLogIn: true } })
    expect(await idleFaults(open, candidate, undefined)).toEqual([
      'login b still accepts passwords, and services may run with it: where nobody uses it, take its login away (ALTER ROLE b NOLOGIN), then run the rotation',
    ])
    const closed = workOf({ status, used: { sessions: 0, canLogIn: false } })
    expect(await idleFaults(closed, candidate, undefined)).toEqual([])
  })
})
