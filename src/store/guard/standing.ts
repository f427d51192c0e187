// Where requests for access stand in this write: judged anew from the people, policies and time of now.
import { randomBytes } from 'node:crypto'
import {
  decideRequest,
  isOver,
  requestDigest,
  type MemberFacts,
  type RequestContent,
} from '../../kinds/access-request/state.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { defined } from '../../kernel/defined.ts'
import { refOf, type KubeObject, type Place } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import type { WriteSession } from '../core/write-session.ts'
import { readMembers } from './people.ts'
import { guardsOf, policiesOf, type Policy } from './policies.ts'

export const newSalt = (): string => randomBytes(18).toString('base64url')

const ms = (time: string | undefined): number | undefined =>
  time === undefined ? undefined : Date.parse(time)

const contentOf = (request: KubeObject): RequestContent => {
  const { salt = '', requester, secrets = [] } = statusOf('AccessRequest', request)
  return {
    salt,
    requester: requester?.id ?? '',
    spec: specOf('AccessRequest', request),
    secrets: secrets.map(({ uid }) => uid),
  }
}

/** The policies of now that guard what was asked for. A secret that is gone is guarded by none. */
const policiesFor = (session: WriteSession, request: KubeObject): Policy[] => {
  const { namespace } = refOf(request)
  const { secrets = [] } = statusOf('AccessRequest', request)
  const found = new Map<string, Policy>()
  for (const { name, uid } of secrets) {
    const row = session.fetch({ kind: 'StagelySecret', namespace, name })
    if (row?.uid !== uid) continue
    for (const policy of guardsOf(session.view, row.object)) found.set(policy.uid, policy)
  }
  return [...found.values()]
}

/** Everybody whom the policies of the project may mean. */
export const membersFor = (session: WriteSession, project: Place): Promise<MemberFacts[]> => {
  const names = policiesOf(session.view, project).flatMap(
    (policy) => specOf('AccessPolicy', policy).approvals?.users ?? [],
  )
  return readMembers(session.tx, project.namespace, [...new Set(names)])
}

export type Standing = ReturnType<typeof decideRequest> & {
  readonly policies: readonly Policy[]
  readonly digest: string
}

export const standingOf = (
  session: WriteSession,
  request: KubeObject,
  members: readonly MemberFacts[],
): Standing => {
  const status = statusOf('AccessRequest', request)
  const policies = policiesFor(session, request)
  const digest = requestDigest(contentOf(request), policies)
  const decided = decideRequest({
    request: {
      requester: status.requester ?? { id: '', name: '' },
      isEmergency: specOf('AccessRequest', request).emergency === true,
      digest,
      state: status.state ?? 'Pending',
      durationMs: (status.durationSeconds ?? 0) * 1000,
      expiresAt: ms(status.expiresAt) ?? 0,
      approvedAt: ms(status.approvedAt),
    },
    policies,
    members,
    approvals: (status.decisions ?? [])
      .filter(({ action }) => action === 'Approve')
      .map(({ by, digest: bound }) => ({ by: by.id, digest: bound })),
    firstUse: ms(status.startedAt),
    now: session.nowMs,
  })
  return { ...decided, policies, digest }
}

const time = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : toTimestamp(at)

/** The status with where the request stands. */
export const withStanding = (
  request: KubeObject,
  { state, message, approvals, approvedAt, startBy, endsAt }: Standing,
  now: string,
): KubeObject => {
  const before = statusOf('AccessRequest', request)
  // It waits for approvals once more: what was approved before counts no more.
  const { approvedAt: _, startBy: __, ...rest } = before
  const status = {
    ...(state === 'Pending' ? rest : before),
    state,
    ...(message !== '' && { message }),
    approvals,
    ...defined({
      approvedAt: time(approvedAt),
      startBy: time(startBy),
      endsAt: time(endsAt),
      endedAt: isOver(state) ? (before.endedAt ?? now) : undefined,
    }),
  }
  return { ...request, status }
}
