// What became of each request, from the request, or from the audit log where it is kept no more. Pure.
import type { AccessRow } from '../../../src/audit/access-report.ts'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { grouped } from '../../../src/kernel/grouped.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { specOf, statusOf } from '../../../src/kinds/typed.ts'
import { isOver } from '../../../src/kinds/access-request/state.ts'
import type { AccessState } from '../../../src/kinds/access-request/schema.ts'
import type { AccessFacts, RequestReads } from '../../../src/store/audit/access-facts.ts'
import { meets, type Span } from './spans.ts'
import { seqTexts } from './words.ts'

const seconds = (time: string | undefined): string | undefined =>
  time === undefined ? undefined : toTimestamp(Date.parse(time))

interface Found {
  readonly rows: readonly AuditRecord[]
  readonly reads: RequestReads | undefined
}

const endings: Readonly<Record<string, AccessState>> = {
  'deny access': 'Denied',
  'cancel access': 'Cancelled',
  'revoke access': 'Revoked',
}

const stateAfter = ({ action, detail }: AuditRecord): AccessState | undefined =>
  endings[action] ?? (action === 'access' ? (detail?.['state'] as AccessState) : undefined)

const approvalsIn = (rows: readonly AuditRecord[]): { by?: string[]; at?: string | undefined } => {
  const all = rows.filter(({ action }) => action === 'approve access')
  // Those before a change of the policy did not count.
  const counted = all.filter(({ detail }) => detail?.['digest'] === all.at(-1)?.detail?.['digest'])
  return counted.length === 0
    ? {}
    : { by: [...new Set(counted.map(({ actor }) => actor.name))], at: seconds(counted.at(-1)?.at) }
}

type RequestFields = Omit<AccessRow, 'row' | 'name' | 'audit'>

const textsIn = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

const fromLog = ({ rows, reads }: Found): RequestFields | undefined => {
  const asked = rows.find(({ action }) => ['request access', 'break glass'].includes(action))
  if (asked === undefined) return undefined
  const { project, secrets } = asked.detail ?? {}
  const approved = approvalsIn(rows)
  const states = rows.flatMap((row) => {
    const state = stateAfter(row)
    return state === undefined ? [] : [{ state, at: row.at }]
  })
  const end = states.find(({ state }) => isOver(state))
  const review = rows.find(({ action }) => action === 'review access')
  return {
    projects: [String(project)],
    by: asked.actor.name,
    secrets: textsIn(secrets),
    ...defined({
      approved_by: approved.by,
      asked_at: seconds(asked.at),
      approved_at: approved.at,
      from: seconds(asked.action === 'break glass' ? asked.at : reads?.firstAt),
      until: seconds(end?.at),
      state: states.at(-1)?.state,
      uses: reads && reads.seqs.length,
      review:
        review && reviewText(String(review.detail?.['outcome']), review.actor.name, review.at),
    }),
  }
}

const reviewText = (outcome: string, by: string, at: string): string =>
  `${outcome} by ${by} at ${toTimestamp(Date.parse(at))}`

const fromObject = (request: KubeObject, { rows }: Found): RequestFields => {
  const { projectRef, reason } = specOf('AccessRequest', request)
  const status = statusOf('AccessRequest', request)
  const { decisions = [], secrets = [], reviewBy, requester } = status
  const approved = approvalsIn(rows)
  const review = decisions.find(({ action }) => action === 'Review')
  const kept = decisions.filter(({ action }) => action === 'Approve').map(({ by }) => by.name)
  return {
    projects: [projectRef.name],
    reason,
    secrets: secrets.map(({ name }) => name),
    uses: status.uses ?? 0,
    ...defined({
      by: requester?.name,
      approved_by: approved.by ?? (kept.length === 0 ? undefined : [...new Set(kept)]),
      asked_at: request.metadata.creationTimestamp,
      approved_at: status.approvedAt,
      from: status.startedAt,
      until: status.startedAt === undefined ? undefined : (status.endedAt ?? status.endsAt),
      state: status.state,
      review:
        review === undefined
          ? reviewBy && `due until ${reviewBy}`
          : reviewText(review.outcome ?? '', review.by.name, review.at),
    }),
  }
}

/** An emergency that nobody has reviewed in time. */
const overdueOf = (request: KubeObject | undefined, nowMs: number): Partial<AccessRow>[] => {
  if (request === undefined) return []
  const { reviewBy, decisions = [] } = statusOf('AccessRequest', request)
  const reviewed = decisions.find(({ action }) => action === 'Review')?.at
  if (reviewBy === undefined || Date.parse(reviewed ?? toTimestamp(nowMs)) <= Date.parse(reviewBy))
    return []
  return [{ from: reviewBy, ...defined({ until: reviewed }) }]
}

const spanOf = ({ asked_at: asked, until }: RequestFields, rows: readonly AuditRecord[]): Span => {
  const last = rows.at(-1)?.at ?? asked ?? ''
  return {
    from: Date.parse(asked ?? last) || 0,
    to: 1 + Math.max(Date.parse(until ?? last) || 0, Date.parse(last) || 0),
  }
}

export const requestRows = (
  { rows, reads }: AccessFacts,
  requests: readonly KubeObject[],
  { period, nowMs }: { readonly period: Span; readonly nowMs: number },
): AccessRow[] => {
  const logged = grouped(
    rows.filter(({ object }) => object.kind === 'AccessRequest'),
    ({ object }) => object.name,
  )
  const objects = new Map(requests.map((request) => [request.metadata.name, request]))
  const all = [...new Set([...logged.keys(), ...objects.keys()])].flatMap((name) => {
    const found = {
      rows: logged.get(name) ?? [],
      reads: reads.find(({ request }) => request === name),
    }
    const object = objects.get(name)
    const fields = object === undefined ? fromLog(found) : fromObject(object, found)
    if (fields === undefined || !meets(spanOf(fields, found.rows), period)) return []
    const isEmergency =
      object === undefined
        ? found.rows.some(({ action }) => action === 'break glass')
        : specOf('AccessRequest', object).emergency === true
    const audit = seqTexts([...found.rows.map(({ seq }) => seq), ...(found.reads?.seqs ?? [])])
    const common = { ...fields, name, audit }
    const { projects, by } = fields
    return [
      { ...common, row: isEmergency ? ('emergency' as const) : ('request' as const) },
      ...overdueOf(object, nowMs).map((times) => ({
        row: 'overdue review' as const,
        name,
        projects,
        audit,
        ...defined({ by }),
        ...times,
      })),
    ]
  })
  return all.sort((a, b) => ((a.asked_at ?? a.from ?? '') < (b.asked_at ?? b.from ?? '') ? -1 : 1))
}
