// The requests of whoever writes, as they stand now.
import type { Grant } from '../../kinds/access-request/may-reveal.ts'
import { isOver } from '../../kinds/access-request/state.ts'
import { refOf, type KubeObject, type Place } from '../../resources/meta.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { statusOf } from '../../kinds/typed.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { guardsOf, policiesIn, projectOfRequest } from './policies.ts'
import { membersFor, standingOf, type Standing } from './standing.ts'

export interface OpenRequest {
  readonly row: StoredRow
  readonly standing: Standing
}

/** The requests of this person for the project that may still open something. */
export const openRequests = async (
  session: WriteSession,
  project: Place,
): Promise<OpenRequest[]> => {
  const rows = session.select(term.openRequestsIn(project.namespace)).filter(({ object }) => {
    const { requester, state = 'Pending' } = statusOf('AccessRequest', object)
    const isOwn = requester?.id === session.actor.id && !isOver(state)
    return isOwn && projectOfRequest(object).name === project.name
  })
  if (rows.length === 0) return []
  const members = await membersFor(session, project)
  return rows.map((row) => ({ row, standing: standingOf(session, row.object, members) }))
}

export const grantsOf = (open: readonly OpenRequest[]): Grant[] =>
  open.map(({ row, standing }) => {
    const { requester, secrets = [] } = statusOf('AccessRequest', row.object)
    return {
      name: refOf(row.object).name,
      requester: requester?.id ?? '',
      state: standing.state,
      secrets: new Set(secrets.map(({ uid }) => uid)),
    }
  })

/** Uids of the secrets that grants of the actor cover which run. */
const coveredBy = async (session: WriteSession, project: Place): Promise<Set<string>> => {
  const open = await openRequests(session, project)
  const running = open.filter(({ standing }) => standing.state === 'Active')
  return new Set(grantsOf(running).flatMap(({ secrets }) => [...secrets]))
}

/** Before a write whose answer may tell of a value: notes what the actor's grants that run cover. */
export const noteLearnable = async (
  session: WriteSession,
  next: KubeObject,
  current: StoredRow | undefined,
): Promise<void> => {
  const { actor, view } = session
  if (actor.source !== 'api' || session.learnable !== undefined) return
  const secret = current?.object ?? next
  if (guardsOf(view, secret).length === 0) return
  session.learnable = await coveredBy(session, projectRefOf(secret))
}

/** See Transaction.hiddenFrom. */
export const hiddenSecrets = async (
  session: WriteSession,
  project: Place,
): Promise<ReadonlySet<string>> => {
  const { view } = session
  if (policiesIn(view, project.namespace).length === 0) return new Set()
  const guarded = session
    .select(term.secretsOf(project))
    .filter(({ object }) => guardsOf(view, object).length > 0)
  const covered = await coveredBy(session, project)
  return new Set(guarded.map(({ uid }) => uid).filter((uid) => !covered.has(uid)))
}
