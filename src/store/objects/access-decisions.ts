// What people do with a request: approve, deny, cancel, revoke and review.
import { hash } from 'node:crypto'
import { isOver, mayApprove, type MemberFacts } from '../../kinds/access-request/state.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { defined } from '../../kernel/defined.ts'
import type { AccessDecision, decisionActions } from '../../kinds/access-request/schema.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { objectForbidden } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { breakGlassName } from '../../access/break-glass.ts'
import { isUnreviewed, noteGlass } from './glass.ts'
import { projectOfRequest } from '../guard/policies.ts'
import { putRequest } from './access-settling.ts'
import { membersFor, standingOf, withStanding, type Standing } from '../guard/standing.ts'

type DecisionAction = (typeof decisionActions)[number]

export interface GivenDecision {
  readonly action: DecisionAction
  readonly outcome?: 'Justified' | 'Misuse' | undefined
  readonly note?: string | undefined
}

const forbidden = (request: KubeObject, why: string): StagelyError =>
  objectForbidden(refOf(request), why, { why: 'Role', namespace: refOf(request).namespace })

const conflict = (request: KubeObject, why: string): StagelyError =>
  new StagelyError('Conflict', `request ${refOf(request).name} ${why}`, {
    kind: 'accessrequests',
    name: refOf(request).name,
  })

interface Situation {
  readonly request: KubeObject
  readonly standing: Standing
  readonly members: readonly MemberFacts[]
  readonly by: { readonly id: string; readonly name: string }
}

const isRequester = ({ request, by }: Situation): boolean =>
  statusOf('AccessRequest', request).requester?.id === by.id

const mayDecide = ({ standing, members, by }: Situation): boolean => {
  const member = members.find(({ id }) => id === by.id)
  return member !== undefined && standing.policies.some((policy) => mayApprove(policy, member))
}

const checkDecider = (situation: Situation): void => {
  const { request, standing, by } = situation
  if (isRequester(situation))
    throw forbidden(request, 'you have asked for it yourself: another person decides it')
  if (by.name === breakGlassName)
    throw forbidden(request, 'nobody knows who this is: log in as yourself')
  if (mayDecide(situation)) return
  const names = standing.policies.map(({ name }) => `"${name}"`).join(', ')
  throw forbidden(request, `AccessPolicy ${names} does not name you as one who approves`)
}

const isOpen = (state: Standing['state']): boolean => state === 'Pending'
const isGiven = (state: Standing['state']): boolean => ['Approved', 'Active'].includes(state)

/** Forbidden or Conflict where this person may not do this now. */
const checks: Readonly<Record<DecisionAction, (situation: Situation) => void>> = {
  Approve: (situation) => {
    checkDecider(situation)
    const { request, standing } = situation
    if (!isOpen(standing.state) && !isGiven(standing.state))
      throw conflict(request, `is ${standing.state}`)
  },
  Deny: (situation) => {
    checkDecider(situation)
    const { request, standing } = situation
    if (isGiven(standing.state))
      throw conflict(request, `is ${standing.state}: end it by revoke (stagely access revoke)`)
    if (!isOpen(standing.state)) throw conflict(request, `is ${standing.state}`)
  },
  Cancel: (situation) => {
    const { request, standing } = situation
    if (!isRequester(situation)) throw forbidden(request, 'only who has asked may cancel it')
    if (isOver(standing.state) || standing.state === 'Active')
      throw conflict(
        request,
        standing.state === 'Active'
          ? 'is Active: end it by revoke (stagely access revoke)'
          : `is ${standing.state}`,
      )
  },
  Revoke: (situation) => {
    const { request, standing, members, by } = situation
    const isOwner = members.some(({ id, role }) => id === by.id && role === 'owner')
    if (!isRequester(situation) && !isOwner) checkDecider(situation)
    if (!isGiven(standing.state)) throw conflict(request, `is ${standing.state}: nothing to end`)
  },
  Review: (situation) => {
    const { request, by } = situation
    if (isRequester(situation))
      throw forbidden(request, 'it was your emergency: another person reviews it')
    if (by.name === breakGlassName)
      throw forbidden(request, 'nobody knows who this is: log in as yourself')
    if (specOf('AccessRequest', request).emergency !== true)
      throw conflict(request, 'is no emergency: nothing is to be reviewed')
    if (!isUnreviewed(request)) throw conflict(request, 'was reviewed already')
  },
}

const endedBy: Readonly<Partial<Record<DecisionAction, 'Denied' | 'Cancelled' | 'Revoked'>>> = {
  Deny: 'Denied',
  Cancel: 'Cancelled',
  Revoke: 'Revoked',
}

const auditActions: Readonly<Record<DecisionAction, string>> = {
  Approve: 'approve access',
  Deny: 'deny access',
  Cancel: 'cancel access',
  Revoke: 'revoke access',
  Review: 'review access',
}

const withDecision = (request: KubeObject, decision: AccessDecision): KubeObject => {
  const status = statusOf('AccessRequest', request)
  const { action, by, note } = decision
  const ended = endedBy[action]
  const said = note === undefined ? '' : `: ${note}`
  return {
    ...request,
    status: {
      ...status,
      decisions: [...(status.decisions ?? []), decision],
      ...(ended && {
        state: ended,
        endedAt: decision.at,
        message: `${ended.toLowerCase()} by ${by.name}${said}`,
      }),
    },
  }
}

/** See Transaction.decideRequest. */
export const decideOnRequest = async (
  session: WriteSession,
  ref: ObjectRef,
  { action, outcome, note }: GivenDecision,
): Promise<KubeObject> => {
  const row = session.require(ref)
  const request = row.object
  const { id, name, kind } = session.actor
  if (kind !== 'user' || id === undefined)
    throw forbidden(request, 'a person decides it, and never a machine')
  const members = await membersFor(session, projectOfRequest(request))
  const standing = standingOf(session, request, members)
  const by = { id, name }
  checks[action]({ request, standing, members, by })
  const { decisions = [], salt = '' } = statusOf('AccessRequest', request)
  const { digest } = standing
  const isAgain =
    action === 'Approve' &&
    decisions.some((one) => one.action === 'Approve' && one.by.id === id && one.digest === digest)
  if (isAgain) return request
  const decision = {
    action,
    by,
    at: session.now,
    ...(action === 'Approve' && { digest }),
    ...defined({ outcome, note }),
  }
  const decided = withDecision(request, decision)
  const after = withStanding(decided, standingOf(session, decided, members), session.now)
  const detail = {
    project: projectOfRequest(request).name,
    digest,
    ...defined({ outcome }),
    ...(note !== undefined && { noteDigest: hash('sha256', `${salt} ${note}`) }),
  }
  const audit = { action: auditActions[action], detail }
  const stored = putRequest(session, { row, after, standing, audit })
  if (action === 'Review') noteGlass(session, stored.object)
  return session.require(ref).object
}
