// Reads the log: commits of other replicas as changes of the state and as events for watchers.
import type { ChainPoint } from '../../audit/texts.ts'
import { keyOf } from '../../resources/meta.ts'
import { changeEvent, type LoggedChange } from '../core/change-event.ts'
import type { Queryable } from '../drivers/sql.ts'
import { parseLayout } from '../../secrets/layout.ts'
import { objectRow, type ProjectRow } from '../state/rows.ts'
import type { Delta, StoreState, Tip } from '../state/state.ts'
import type { ChangeEvent } from '../core/objects.ts'
import { projectStateKind, type ProjectStateText } from '../core/changes.ts'

export const pageSize = 1_000

/** SQL: the end of the chain of audit rows, as `seq` and `hash`. All rows may have been pruned. */
export const chainEndColumns = `coalesce(e.seq, b.start_seq, 0) AS seq, coalesce(e.hash, b.start_hash, '') AS hash`
export const chainEndJoins = `LEFT JOIN audit_chain b ON true
  LEFT JOIN (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1) e ON true`

/** Of the counter row. */
export interface TipColumns {
  tip: string | null
  tip_at: number | null
}

export const tipOf = ({ tip, tip_at: ms }: TipColumns): Tip | undefined =>
  tip === null || ms === null ? undefined : { id: tip, at: ms }

/** SQL: the database has the commit $id. */
export const hasCommit = (id: number): string =>
  `EXISTS (SELECT FROM commits k WHERE k.id = $${id}::uuid)`

export interface ChangeRow {
  rv: number
  type: ChangeEvent['type']
  kind: string
  namespace: string
  name: string
  uid: string
  source: string
  body: string
  previous: string | null
  state: string | null
}

export interface LogPage {
  readonly rows: readonly ChangeRow[]
  /** The newest version in the log. */
  readonly rv: number
  /** End of the chain of audit rows. */
  readonly chain: ChainPoint
  readonly tip: Tip | undefined
  /** Changes up to this version are no longer kept. */
  readonly compacted: number
  /** Whether the database has the newest commit of the caller. `dropped`: that one is too old to be kept. `lost`: it was there once. */
  readonly callerCommit: 'there' | 'dropped' | 'lost'
}

/** Rows after `after`, in order. One statement, so one snapshot. `newest` is the newest commit that the caller knows. */
export const readLog = async (
  q: Queryable,
  after: number,
  newest: Tip | undefined,
): Promise<LogPage> => {
  const rows = await q.query<
    { head: number; compacted: number; seq: number; hash: string } & TipColumns & {
        caller_commit: LogPage['callerCommit']
      } & {
        [K in keyof ChangeRow]: ChangeRow[K] | null
      }
  >(
    `WITH page AS (
       SELECT rv, type, kind, namespace, name, uid, source, body, previous, state
       FROM changes WHERE rv > $1 ORDER BY rv LIMIT ${pageSize}
     )
     SELECT c.rv AS head, c.compacted_rv AS compacted, c.tip, c.tip_at, ${chainEndColumns}, CASE
       WHEN $2::uuid IS NULL OR c.tip = $2 OR ${hasCommit(2)} THEN 'there'
       WHEN $3::bigint < c.commits_from THEN 'dropped' ELSE 'lost' END AS caller_commit, p.*
     FROM counters c ${chainEndJoins} LEFT JOIN page p ON true ORDER BY p.rv`,
    [after, newest?.id ?? null, newest?.at ?? null],
  )
  return {
    rows: rows.filter((row) => row.rv !== null) as unknown as ChangeRow[],
    rv: rows[0]?.head ?? 0,
    chain: { seq: rows[0]?.seq ?? 0, hash: rows[0]?.hash ?? '' },
    tip: rows[0] && tipOf(rows[0]),
    compacted: rows[0]?.compacted ?? 0,
    callerCommit: rows[0]?.caller_commit ?? 'there',
  }
}

/** The events for watchers. A row that only tells of projects makes none. */
export const eventsOf = (rows: readonly ChangeRow[]): LoggedChange[] =>
  rows
    .filter(({ kind }) => kind !== projectStateKind)
    .map(({ rv: resourceVersion, type, body: text, previous, ...ref }) =>
      changeEvent({ id: keyOf(ref), resourceVersion, type, text, previous: previous ?? undefined }),
    )

const objectDelta = (row: ChangeRow): Partial<Delta> => {
  const { kind, namespace, name, type, uid, rv, source, body: text } = row
  if (kind === projectStateKind) return {}
  const ref = { kind, namespace, name }
  const isGone = type === 'DELETED'
  return {
    objects: [[keyOf(ref), isGone ? undefined : objectRow(ref, { uid, rv, source, text })]],
    removedNamespaces: isGone && kind === 'Namespace' ? [name] : [],
  }
}

const projectDelta = (state: StoreState, text: ProjectStateText): Partial<Delta> => {
  const { uid, isGone = false, heads, buried, headMac = '', layout: moved, ...row } = text
  if (isGone) return state.withoutProject(uid)
  const layout = moved === undefined ? state.projects.get(uid)?.layout : parseLayout(moved)
  const project = layout === undefined ? row : { ...row, layout }
  return {
    projects: [[uid, { ...project, id: uid, headMac: () => headMac } as ProjectRow]],
    heads: Object.entries(heads).map(([id, entry]) => [
      id,
      entry === null ? undefined : { id, projectUid: uid, entry },
    ]),
    deletedSecrets: Object.entries(buried).map(([id, isRestorable]) => [
      id,
      isRestorable ? { id, projectUid: uid } : undefined,
    ]),
  }
}

/** Applies the rows to the state. */
export const applyRows = (state: StoreState, rows: readonly ChangeRow[]): void => {
  for (const row of rows) {
    state.apply(objectDelta(row), row.rv)
    if (row.state === null) continue
    for (const text of JSON.parse(row.state) as ProjectStateText[])
      state.apply(projectDelta(state, text), row.rv)
  }
}
