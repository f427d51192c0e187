// A commit: the changes of its writes as JSON, and the one statement that stores them. See
// migrations/0065-baseline.sql.
import { isReason } from '../../kernel/errors.ts'
import { storableJson } from '../../kernel/storable.ts'
import type { ActivityEntry } from '../core/activity-entry.ts'
import {
  addedColumns,
  endColumns,
  endingColumns,
  keyColumns,
  layoutColumns,
  projectColumns,
  rowText,
  versionColumns,
} from './columns.ts'
import { layoutText } from '../../secrets/layout.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { ProjectRow } from '../state/rows.ts'
import type {
  Changes,
  ObjectChange,
  ProjectChange,
  ProjectStateText,
  RevisionRow,
} from '../core/changes.ts'

/** The counter row. */
interface Newest {
  /** Newest committed version. */
  readonly rv: number
  /** Term of the present leader. */
  readonly term: number
  /** The newest commit. */
  readonly tip: string | null
}

export interface Commit {
  readonly id: string
  /** ms */
  readonly at: number
  /** Version of the state that the writes ran on, and its newest commit. */
  readonly expected: number
  readonly tip: string | undefined
  readonly next: number
  /** The commit is refused in another term than this one; undefined: it is of no leader. */
  readonly leader: number | undefined
  /** Name of this replica, which NOTIFY tells the others; undefined: there are no others. */
  readonly origin: string | undefined
  readonly payload: Payload
}

const stateText = ({
  uid,
  row,
  movesStagelets,
  heads,
  deletedSecrets,
}: ProjectChange): ProjectStateText => {
  if (row === undefined) return { uid, isGone: true, heads: {}, buried: {} }
  const { id: _, lines: __, headMac, layout, ...state } = row
  return {
    uid,
    ...state,
    ...(movesStagelets && layout !== undefined && { layout: layoutText(layout) }),
    headMac: headMac(),
    heads: Object.fromEntries(heads.map(([id, head]) => [id, head?.entry ?? null])),
    buried: Object.fromEntries(deletedSecrets),
  }
}

const stateOf = (projects: readonly ProjectChange[]): string =>
  storableJson(JSON.stringify(projects.map(stateText)))

/** As keep_records() takes it. */
const activityText = ({ projectUid, ...entry }: ActivityEntry): string =>
  JSON.stringify({ ...entry, project_uid: projectUid })

const list = (rows: Iterable<string>): string => `[${[...rows].join(',')}]`

const objectText = ({ type, ref, row, at }: ObjectChange, state: string | null): string =>
  rowText(
    { rv: row.rv, type, uid: row.uid, ...ref, source: row.source, at },
    { body: row.text, state },
  )

/** Notes of open revisions are of their projects; a closed revision takes the note over. */
const notesOf = (
  projects: readonly ProjectRow[],
  revisions: readonly RevisionRow[],
): Record<'open_notes' | 'notes', string[]> => {
  const taken = revisions.filter(({ note }) => note !== undefined)
  const closed = new Set(taken.map(({ projectUid }) => projectUid))
  const open = projects.filter(({ id, note }) => note !== undefined || closed.has(id))
  return {
    open_notes: open.map(({ id: uid, note }) => JSON.stringify({ uid, note })),
    notes: taken.map(({ projectUid, revision, note }) =>
      JSON.stringify({ project_uid: projectUid, revision, note }),
    ),
  }
}

/** The parameters of commit_changes(). */
interface Payload {
  readonly objects: string | null
  readonly more: string | null
  readonly lists: readonly string[]
}

/**
 * `projects` are the changed projects. Rows of a removed project are left out, as the database removes them with it. Other
 * replicas read of the projects in the last change of an object. `audit` are rows with their places in the chain.
 */
export const payloadOf = (
  changes: Changes,
  projects: readonly ProjectChange[],
  audit: readonly string[],
): Payload => {
  const gone = new Set(projects.filter(({ row }) => row === undefined).map(({ uid }) => uid))
  const stays = ({ projectUid }: { readonly projectUid: string }): boolean => !gone.has(projectUid)
  const last = changes.objects.at(-1)
  const state = projects.length > 0 ? stateOf(projects) : null
  const objects = changes.objects.map((change) =>
    objectText(change, change === last ? state : null),
  )
  const living = projects.flatMap(({ row }) => (row === undefined ? [] : [row]))
  const versions = [...changes.versions.values()].filter(stays)
  const ended = [...changes.ended].filter(([, one]) => stays(one))
  const parts: Record<string, readonly string[]> = {
    gone: [...gone].map((uid) => JSON.stringify(uid)),
    projects: living.map(projectColumns),
    keys: changes.keys.filter(stays).map(keyColumns),
    ended: ended.map(([uid, one]) => endColumns(uid, one)),
    versions: versions.map(versionColumns),
    environments: versions.flatMap(({ entry }) => addedColumns(entry) ?? []),
    endings: [
      ...ended.flatMap(([uid, one]) => endingColumns(uid, one) ?? []),
      ...versions.flatMap(({ entry, ended: one }) =>
        one === undefined ? [] : (endingColumns(entry.secretId, one, entry.version) ?? []),
      ),
    ],
    layouts: [...changes.layouts.values()].filter(stays).map(layoutColumns),
    revisions: changes.revisions.filter(stays).map((row) =>
      JSON.stringify({
        project_uid: row.projectUid,
        revision: row.revision,
        closed_at: row.closedAt,
        mac: row.mac,
      }),
    ),
    ...notesOf(living, changes.revisions.filter(stays)),
    buried: changes.deletedSecrets.filter(stays).map((row) =>
      rowText(
        {
          secret_uid: row.secretUid,
          project_uid: row.projectUid,
          namespace: row.namespace,
          name: row.name,
          deleted_at: row.at,
          deleted_by: row.by,
        },
        { body: row.text },
      ),
    ),
    former: changes.removedNamespaces.map((name) => JSON.stringify(name)),
    agents: changes.agents.map((agent) => JSON.stringify(agent)),
    audit,
    notices: changes.notices.map((row) => JSON.stringify(row)),
    happenings: [...changes.activity.values()].map(activityText),
    // Removed stagelets: their rollouts are removed too.
    forgotten: changes.objects
      .filter(({ type, ref }) => type === 'DELETED' && ref.kind === 'Stagelet')
      .map(({ row }) => JSON.stringify(row.uid)),
  }
  const filled = Object.entries(parts).filter(([, rows]) => rows.length > 0)
  return {
    objects: objects.length === 0 ? null : list(objects),
    more:
      filled.length === 0
        ? null
        : storableJson(`{${filled.map(([name, rows]) => `"${name}":${list(rows)}`).join(',')}}`),
    lists: filled.map(([name]) => name),
  }
}

const commitSql = `SELECT done, rv, term, tip
  FROM commit_changes($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9::text[], $10)`

/** `done` is false where another commit came first or another leader has begun: nothing was stored then. */
export const commit = async (
  q: Queryable,
  { id, at, expected, tip, next, leader, origin, payload }: Commit,
): Promise<Newest & { done: boolean }> => {
  const { objects, more, lists } = payload
  const [answer] = await q.query<Newest & { done: boolean }>(commitSql, [
    ...[id, at, expected, next, leader ?? null, origin ?? null],
    ...[objects, more, lists, tip ?? null],
  ])
  if (answer === undefined) throw new Error('the counter row is missing')
  return answer
}

const countersSql = 'SELECT rv, term, tip FROM counters'

/** Waits while another replica may read without a question (sole-replica.ts): it may not know of the newest commit yet. */
const readSql = `SELECT rv, term, tip, pg_sleep(CASE WHEN alone <> $1 AND alone_until > clock_timestamp()
  THEN extract(epoch FROM alone_until - clock_timestamp()) ELSE 0 END) FROM counters`

const countersOf = async (q: Queryable, text: string, params: string[] = []): Promise<Newest> => {
  const [counters] = await q.query<Newest>(text, params)
  if (counters === undefined) throw new Error('the counter row is missing')
  return counters
}

/** Asks once more where a connection broke: the pool may have kept one that is long dead. */
export const askTwice = <T>(ask: () => Promise<T>): Promise<T> =>
  ask().catch((error: unknown) => {
    if (!isReason(error, 'ServiceUnavailable')) throw error
    return ask()
  })

/** `replica` may answer reads by the counters. */
export const readCounters = (q: Queryable, replica: string): Promise<Newest> =>
  askTwice(() => countersOf(q, readSql, [replica]))

/** Holds the counter row until the transaction ends: nobody commits meanwhile. */
export const lockCounters = (tx: Queryable): Promise<Newest> =>
  countersOf(tx, `${countersSql} FOR UPDATE`)

/**
 * Whether a commit is stored whose answer was lost. Waits while the commit may still be under way. One that is not
 * there never will be, also where the network brings it later: its id is taken.
 */
export const wasCommitted = (
  sql: Transacting,
  { id, at }: Pick<Commit, 'id' | 'at'>,
): Promise<boolean> =>
  sql.transaction(async (tx) => {
    await lockCounters(tx)
    const taken = await tx.query(
      'INSERT INTO commits (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id',
      [id, at],
    )
    return taken.length === 0
  })

interface Transacting {
  transaction<T>(fn: (tx: Queryable) => Promise<T>): Promise<T>
}
