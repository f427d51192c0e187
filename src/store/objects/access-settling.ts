// Requests for access that come to an end, by time or by what has changed around them.
import { isOver } from '../../kinds/access-request/state.ts'
import { withStatusOwner } from '../../managed-fields/status.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { AuditEntry, StoredRow, WriteSession } from '../core/write-session.ts'
import { recordEvent } from './machine-writes.ts'
import { afterUse } from './after-use.ts'
import { isUnreviewed } from './glass.ts'
import { projectOfRequest } from '../guard/policies.ts'
import { membersFor, standingOf, withStanding, type Standing } from '../guard/standing.ts'

/** The words in which a requester hears of an end. */
const endText = (request: KubeObject): string => {
  const { state = '', requester, uses = 0 } = statusOf('AccessRequest', request)
  const used = uses === 0 ? 'it was not used' : `values were read ${uses} times`
  return `${requester?.name ?? ''}: request ${refOf(request).name} for project ${projectOfRequest(request).name} is ${state}; ${used}`
}

interface Change {
  readonly row: StoredRow
  readonly after: KubeObject
  readonly standing: Pick<Standing, 'policies'>
  readonly audit?: AuditEntry | undefined
}

/** Stores where the request stands; what follows from an end happens in the same write. */
export const putRequest = (
  session: WriteSession,
  { row, after, standing, audit }: Change,
): StoredRow => {
  const before = row.object
  const [was, is] = [before, after].map(
    (object) => statusOf('AccessRequest', object).state ?? 'Pending',
  )
  const ends = !isOver(was!) && isOver(is!)
  const rotates =
    specOf('AccessRequest', after).emergency === true ||
    standing.policies.some((policy) => policy.rotates)
  const whole = ends ? afterUse(session, after, { rotates }) : after
  if (sameJson(whole.status ?? {}, before.status ?? {}) && audit === undefined) return row
  const next = withStatusOwner(whole, before, session.now)
  const noted = was === is ? undefined : { action: 'access', detail: { state: is } }
  const stored = session.put(next, row.source, row, audit ?? noted)
  if (ends || (is === 'Approved' && was === 'Pending')) {
    const message =
      is === 'Approved'
        ? `${statusOf('AccessRequest', next).requester?.name ?? ''}: request ${refOf(next).name} for project ${projectOfRequest(next).name} is approved: use it until ${statusOf('AccessRequest', next).startBy ?? ''}`
        : endText(next)
    const reason = is === 'Approved' ? 'AccessDecided' : 'AccessEnded'
    recordEvent(session, { regarding: stored.object, type: 'Normal', reason, message })
  }
  return stored
}

const dayMs = 86_400_000

/** Each day that a review is overdue is told once. Returns when the next one is to be told. */
const tellOverdue = (session: WriteSession, request: KubeObject): number | undefined => {
  const { reviewBy } = statusOf('AccessRequest', request)
  if (reviewBy === undefined || !isUnreviewed(request)) return undefined
  const dueMs = Date.parse(reviewBy)
  const days = Math.floor((session.nowMs - dueMs) / dayMs)
  if (days < 0) return dueMs
  const message = `the review of emergency ${refOf(request).name} in project ${projectOfRequest(request).name} is overdue since ${reviewBy}, day ${days + 1}: stagely access review ${refOf(request).name}`
  recordEvent(session, { regarding: request, type: 'Warning', reason: 'ReviewOverdue', message })
  return dueMs + (days + 1) * dayMs
}

/** Judges the request anew. Returns when (ms) time alone changes it next; undefined: never. */
export const settleRequest = async (
  session: WriteSession,
  name: Pick<ReturnType<typeof refOf>, 'namespace' | 'name'>,
): Promise<number | undefined> => {
  const row = session.fetch({ kind: 'AccessRequest', ...name })
  if (row === undefined) return undefined
  if (isOver(statusOf('AccessRequest', row.object).state ?? 'Pending'))
    return tellOverdue(session, row.object)
  const members = await membersFor(session, projectOfRequest(row.object))
  const standing = standingOf(session, row.object, members)
  const after = withStanding(row.object, standing, session.now)
  const { object } = putRequest(session, { row, after, standing })
  const overdueAt = tellOverdue(session, object)
  const times = [standing.nextAt, overdueAt].filter((time) => time !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}
