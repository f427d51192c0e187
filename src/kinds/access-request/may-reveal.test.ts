import { describe, expect, it } from 'vitest'
import { accessStates } from './schema.ts'
import { mayReveal, type Grant, type Reader, type ReadSecret } from './may-reveal.ts'

const guard = { machines: ['ci'], changedAt: 100 }
const free: ReadSecret = { uid: 'free', policies: [] }
const kept: ReadSecret = { uid: 'kept', policies: [guard] }
const twice: ReadSecret = { uid: 'kept', policies: [guard, { machines: [], changedAt: 100 }] }
const ann: Reader = { kind: 'user', id: '1', name: 'ann', mayRead: true }
const dev: Reader = { ...ann, mayRead: false }
const ci: Reader = { kind: 'machine', id: 'm', name: 'ci', mayRead: true, since: 50 }
const grant = (more: Partial<Grant> = {}): Grant => ({
  name: 'req',
  requester: '1',
  state: 'Active',
  secrets: new Set(['kept']),
  ...more,
})

describe('values leave', () => {
  const rows: readonly (readonly [
    string,
    Reader,
    readonly ReadSecret[],
    readonly Grant[],
    string,
  ])[] = [
    ['unguarded, by role', ann, [free], [], 'yes'],
    ['unguarded, without a role', dev, [free], [], 'NoRight'],
    ['unguarded, without a role, by a grant of others', dev, [free], [grant()], 'NoRight'],
    ['guarded, by role', ann, [kept], [], 'RequestNeeded'],
    ['guarded, by a grant', ann, [kept], [grant()], 'yes req'],
    ['guarded, by a grant, without a role', dev, [kept], [grant()], 'yes req'],
    [
      'what a grant names beside, without a role',
      dev,
      [kept, free],
      [grant({ secrets: new Set(['kept', 'free']) })],
      'yes req',
    ],
    ['a grant of somebody else', ann, [kept], [grant({ requester: '2' })], 'RequestNeeded'],
    [
      'a grant for another secret',
      ann,
      [kept],
      [grant({ secrets: new Set(['x']) })],
      'RequestNeeded',
    ],
    [
      'one that is not covered refuses all',
      dev,
      [kept, { ...kept, uid: 'more' }],
      [grant()],
      'RequestNeeded',
    ],
    [
      'the running grant before another',
      ann,
      [kept],
      [grant({ name: 'later', state: 'Approved' }), grant()],
      'yes req',
    ],
    ['a machine that is named', ci, [kept], [], 'yes'],
    [
      'a machine that is named, without the right',
      { ...ci, mayRead: false },
      [kept],
      [],
      'RequestNeeded',
    ],
    ['a machine of another name', { ...ci, name: 'bot' }, [kept], [], 'RequestNeeded'],
    [
      'a machine token that was made after the policy',
      { ...ci, since: 101 },
      [kept],
      [],
      'RequestNeeded',
    ],
    ['a machine that one of two policies names', ci, [twice], [], 'RequestNeeded'],
    [
      'a machine with a grant of its id',
      ci,
      [{ ...kept, policies: [{ machines: [], changedAt: 0 }] }],
      [grant({ requester: 'm' })],
      'RequestNeeded',
    ],
    ...accessStates.map(
      (state) =>
        [
          `a grant that is ${state}`,
          ann,
          [kept],
          [grant({ state })],
          ['Active', 'Approved'].includes(state) ? 'yes req' : 'RequestNeeded',
        ] as const,
    ),
  ]

  it.each(rows)('%s', (...[, reader, secrets, grants, wanted]) => {
    const verdict = mayReveal(reader, secrets, grants)
    const text = verdict.may ? ['yes', ...verdict.uses].join(' ') : verdict.why
    expect(text).toBe(wanted)
  })
})
