import { describe, expect, it } from 'vitest'
import {
  decideRequest,
  requestDigest,
  type MemberFacts,
  type PolicyFacts,
  type RequestFacts,
} from './state.ts'

const minute = 60_000
const policy: PolicyFacts = {
  name: 'guard',
  uid: 'p',
  generation: 1,
  changedAt: 0,
  count: 2,
  roles: ['owner'],
  users: ['zoe'],
  machines: [],
  startWithinMs: 60 * minute,
  emergency: { users: ['ann'] },
}
const ann = { id: '1', name: 'ann' }
const members: readonly MemberFacts[] = [
  { ...ann, role: 'owner' },
  { id: '2', name: 'bob', role: 'owner' },
  { id: '3', name: 'cat', role: 'owner' },
  { id: '4', name: 'dan', role: 'viewer' },
  { id: '5', name: 'zoe', role: undefined },
]
const facts: RequestFacts = {
  requester: ann,
  isEmergency: false,
  digest: 'd',
  state: 'Pending',
  durationMs: 30 * minute,
  expiresAt: 1_000 * minute,
  approvedAt: undefined,
}
const by = (...ids: string[]) => ids.map((id) => ({ by: id, digest: 'd' }))
type Situation = Parameters<typeof decideRequest>[0]
const decide = ({
  request = {},
  ...more
}: Partial<Omit<Situation, 'request'>> & { request?: Partial<RequestFacts> } = {}) =>
  decideRequest({
    policies: [policy],
    members,
    approvals: [],
    firstUse: undefined,
    now: 0,
    ...more,
    request: { ...facts, ...request },
  })

describe('where a request stands', () => {
  const rows: readonly (readonly [string, Parameters<typeof decide>[0], string, number])[] = [
    ['no approval', {}, 'Pending', 0],
    ['one of two', { approvals: by('2') }, 'Pending', 1],
    ['two of two', { approvals: by('2', '3') }, 'Approved', 2],
    ['one named by the policy', { approvals: by('2', '5') }, 'Approved', 2],
    ['the requester', { approvals: by('1', '2') }, 'Pending', 1],
    ['the same person twice', { approvals: by('2', '2') }, 'Pending', 1],
    ['a role that may not', { approvals: by('2', '4') }, 'Pending', 1],
    ['somebody who is gone', { approvals: by('2', '9') }, 'Pending', 1],
    [
      'an approval of another request, or of a policy of before',
      { approvals: [...by('2'), { by: '3', digest: 'old' }] },
      'Pending',
      1,
    ],
    ['its time is over', { now: 1_000 * minute }, 'Expired', 0],
    [
      'approved and not used in time',
      { approvals: by('2', '3'), request: { approvedAt: 0 }, now: 60 * minute },
      'Expired',
      2,
    ],
    ['used', { approvals: by('2', '3'), firstUse: 0, now: 29 * minute }, 'Active', 2],
    ['used, and over', { approvals: by('2', '3'), firstUse: 0, now: 30 * minute }, 'Ended', 2],
    ['used, and an approver has gone', { approvals: by('2', '9'), firstUse: 0 }, 'Revoked', 1],
    ['an emergency', { request: { isEmergency: true }, firstUse: 0 }, 'Active', 0],
    [
      'an emergency of somebody who is not listed any more',
      { request: { isEmergency: true, requester: { id: '2', name: 'bob' } }, firstUse: 0 },
      'Revoked',
      0,
    ],
    ['nothing guards any more', { policies: [] }, 'Expired', 0],
    ['nothing guards any more, in use', { policies: [], firstUse: 0 }, 'Ended', 0],
    [
      'a second policy lacks an approval',
      { policies: [{ ...policy, count: 1 }, policy], approvals: by('2') },
      'Pending',
      1,
    ],
    ...(['Denied', 'Cancelled', 'Revoked', 'Expired', 'Ended'] as const).map(
      (state) => [state, { request: { state }, approvals: by('2', '3') }, state, 2] as const,
    ),
  ]

  it.each(rows)('%s', (_, situation, state, counted) => {
    const decided = decide(situation)
    expect([decided.state, decided.approvals.counted]).toEqual([state, counted])
  })

  it('says at once that too few people may approve', () => {
    expect(decide({ members: members.slice(0, 2) }).message).toContain('only 1 person may approve')
  })

  it('is asked again when its time is over', () => {
    expect(decide().nextAt).toBe(1_000 * minute)
    expect(decide({ approvals: by('2', '3') }).nextAt).toBe(60 * minute)
    expect(decide({ approvals: by('2', '3'), firstUse: 5 }).nextAt).toBe(30 * minute + 5)
  })
})

it('an approval is bound to the request, the secrets and the generation of each policy', () => {
  const content = { salt: 's', requester: '1', spec: { reason: 'r' }, secrets: ['a', 'b'] }
  const digests = [
    requestDigest(content, [policy]),
    requestDigest({ ...content, salt: 't' }, [policy]),
    requestDigest({ ...content, requester: '2' }, [policy]),
    requestDigest({ ...content, spec: { reason: 'q' } }, [policy]),
    requestDigest({ ...content, secrets: ['a'] }, [policy]),
    requestDigest(content, [{ ...policy, generation: 2 }]),
    requestDigest(content, []),
  ]
  expect(new Set(digests).size).toBe(digests.length)
  expect(requestDigest({ ...content, secrets: ['b', 'a'] }, [policy])).toBe(digests[0])
})
