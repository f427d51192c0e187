// Where a request for access stands. Pure: see ADR 0086.
import { hash } from 'node:crypto'
import type { AccessState } from './schema.ts'
import type { TeamRole } from '../../access/team-roles.ts'

/** Who may be asked: a person who may log in. */
export interface MemberFacts {
  readonly id: string
  readonly name: string
  /** In the team; undefined for who is not in it. */
  readonly role: TeamRole | undefined
}

/** A policy in force. Times in ms. */
export interface PolicyFacts {
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly changedAt: number
  readonly count: number
  readonly roles: readonly string[]
  readonly users: readonly string[]
  readonly machines: readonly string[]
  readonly startWithinMs: number
  readonly emergency: { readonly users: readonly string[] }
}

/** What a request is about, for its digest. */
export interface RequestContent {
  readonly salt: string
  readonly requester: string
  readonly spec: object
  /** Uids of the secrets. */
  readonly secrets: readonly string[]
}

/**
 * What an approval is bound to: another request, or a policy that has changed since, has another digest. The salt keeps
 * the reason from being guessed from it.
 */
export const requestDigest = (
  { salt, requester, spec, secrets }: RequestContent,
  policies: readonly Pick<PolicyFacts, 'uid' | 'generation'>[],
): string => {
  const bound = policies.map(({ uid, generation }) => [uid, generation]).sort()
  return hash('sha256', JSON.stringify([salt, requester, spec, [...secrets].sort(), bound]))
}

export interface RequestFacts {
  readonly requester: { readonly id: string; readonly name: string }
  readonly isEmergency: boolean
  /** With the policies that are in force now. */
  readonly digest: string
  /** As it is stored. */
  readonly state: AccessState
  readonly durationMs: number
  readonly expiresAt: number
  readonly approvedAt: number | undefined
}

interface Approval {
  /** Id of the user. */
  readonly by: string
  readonly digest: string | undefined
}

interface RequestSituation {
  readonly request: RequestFacts
  /** All that guard what is asked for, as they are now. */
  readonly policies: readonly PolicyFacts[]
  readonly members: readonly MemberFacts[]
  readonly approvals: readonly Approval[]
  /** When the grant was used first (ms); undefined: never. */
  readonly firstUse: number | undefined
  readonly now: number
}

interface Tally {
  readonly counted: number
  readonly needed: number
  readonly possible: number
}

interface DecidedRequest {
  readonly state: AccessState
  readonly message: string
  readonly approvals: Tally
  /** Set with the approval that completes them. */
  readonly approvedAt?: number
  readonly startBy?: number
  readonly endsAt?: number
  /** The next moment (ms) at which time alone makes it another one. */
  readonly nextAt?: number
}

const terminal: ReadonlySet<AccessState> = new Set([
  'Ended',
  'Denied',
  'Expired',
  'Cancelled',
  'Revoked',
])

/** It does not change any more. */
export const isOver = (state: AccessState): boolean => terminal.has(state)

export const mayApprove = (
  { roles, users }: Pick<PolicyFacts, 'roles' | 'users'>,
  { name, role }: MemberFacts,
): boolean => (role !== undefined && roles.includes(role)) || users.includes(name)

/** Who could approve a request of `requester`. */
export const approversOf = (
  policy: Pick<PolicyFacts, 'roles' | 'users'>,
  members: readonly MemberFacts[],
  requester: string | undefined,
): MemberFacts[] =>
  members.filter((member) => member.id !== requester && mayApprove(policy, member))

const tallyOf = (policy: PolicyFacts, { request, members, approvals }: RequestSituation): Tally => {
  const possible = approversOf(policy, members, request.requester.id)
  const counted = possible.filter(({ id }) =>
    approvals.some(({ by, digest }) => by === id && digest === request.digest),
  )
  return { counted: counted.length, needed: policy.count, possible: possible.length }
}

/** Of several policies the one that lacks most: each of them has to be content. */
const worstOf = ([first, ...more]: readonly Tally[]): Tally =>
  more.reduce(
    (a, b) => (b.needed - b.counted > a.needed - a.counted ? b : a),
    first ?? { counted: 0, needed: 0, possible: 0 },
  )

const people = (count: number): string => (count === 1 ? '1 person' : `${count} people`)

const pendingText = ({ counted, needed, possible }: Tally): string => {
  const wanted = `it has ${counted} of ${needed} approvals`
  return possible < needed
    ? `${wanted}, and only ${people(possible)} may approve it: change approvals of the policy, or ask an owner to add members`
    : `${wanted}; ${people(possible)} may approve it`
}

const notStarted = (situation: RequestSituation, approvals: Tally): DecidedRequest => {
  const { request, policies, now } = situation
  const approvedAt = request.approvedAt ?? now
  const startBy = approvedAt + Math.min(...policies.map(({ startWithinMs }) => startWithinMs))
  const common = { approvals, approvedAt, startBy }
  return now < startBy
    ? { ...common, state: 'Approved', message: 'read the values now', nextAt: startBy }
    : { ...common, state: 'Expired', message: 'nobody used it in time: ask again' }
}

const started = (
  { request, now }: RequestSituation,
  { approvals, firstUse, isGood }: { approvals: Tally; firstUse: number; isGood: boolean },
): DecidedRequest => {
  const endsAt = firstUse + request.durationMs
  if (now >= endsAt) return { state: 'Ended', message: 'its time is over', approvals, endsAt }
  if (isGood)
    return { state: 'Active', message: 'values may be read', approvals, endsAt, nextAt: endsAt }
  const message = request.isEmergency
    ? 'who asked may declare no emergency any more'
    : 'its approvals do not count any more: a policy or the role of an approver has changed'
  return { state: 'Revoked', message, approvals, endsAt }
}

/** An emergency is good while its policies name who declared it; any other request, while it has its approvals. */
export const decideRequest = (situation: RequestSituation): DecidedRequest => {
  const { request, policies, firstUse, now } = situation
  const approvals = worstOf(policies.map((policy) => tallyOf(policy, situation)))
  if (isOver(request.state)) return { state: request.state, message: '', approvals }
  if (policies.length === 0) {
    const state = firstUse === undefined ? 'Expired' : 'Ended'
    return { state, message: 'no policy guards the values any more', approvals }
  }
  const isGood = request.isEmergency
    ? policies.every(({ emergency }) => emergency.users.includes(request.requester.name))
    : approvals.counted >= approvals.needed
  if (firstUse !== undefined) return started(situation, { approvals, firstUse, isGood })
  if (isGood) return notStarted(situation, approvals)
  if (now >= request.expiresAt)
    return { state: 'Expired', message: 'nobody approved it in time: ask again', approvals }
  return { state: 'Pending', message: pendingText(approvals), approvals, nextAt: request.expiresAt }
}
