// Loads the state from the tables.
import { toEntry, type VersionRow } from '../secrets/set-rows.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import { chainEndColumns, chainEndJoins, tipOf, type TipColumns } from './follow.ts'
import { objectRow, type HeadRow, type ProjectRow, type StoredRow } from '../state/rows.ts'
import { State, type Delta } from '../state/state.ts'

/** Most rows of one statement. */
const pageSize = 2_000

interface ObjectColumns {
  uid: string
  kind: string
  namespace: string
  name: string
  rv: number
  source: string
  body: string
}

interface ProjectColumns {
  uid: string
  namespace: string
  name: string
  digest_key: string
  key_provider: string | null
  revision: number
  opened_at: number | null
  last_write_at: number | null
  change_sets: string
  note: string | null
  head_mac: string
  quiet_at: number
  data_key_id: string
  wrapped: string
}

const projectColumns = `p.uid, p.namespace, p.name, p.digest_key, p.key_provider, p.revision, p.opened_at, p.last_write_at,
  p.change_sets, p.note, p.head_mac, p.quiet_at, k.id AS data_key_id, k.wrapped
FROM projects p JOIN data_keys k ON k.project_uid = p.uid AND k.retired_at IS NULL`

const toProject = (row: ProjectColumns): ProjectRow => ({
  id: row.uid,
  namespace: row.namespace,
  name: row.name,
  digestKey: row.digest_key,
  keyProvider: row.key_provider ?? undefined,
  dataKey: { id: row.data_key_id, wrapped: row.wrapped },
  closed: row.revision,
  openedAt: row.opened_at ?? undefined,
  lastWriteAt: row.last_write_at ?? undefined,
  changeSets: JSON.parse(row.change_sets) as Record<string, number>,
  note: row.note ?? undefined,
  headMac: () => row.head_mac,
  quietAt: row.quiet_at,
})

type Pair<R> = readonly [id: string, row: R]

/** Reads page by page in the order of a unique key. */
async function* pages<R extends { uid: string }>(q: Queryable, text: string): AsyncGenerator<R[]> {
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const rows = await q.query<R>(text, [after, pageSize])
    yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageSize) return
    after = last.uid
  }
}

const objectsSql = `SELECT uid, kind, namespace, name, rv, source, body FROM objects
  WHERE uid > $1 ORDER BY uid LIMIT $2`
const projectsSql = `SELECT ${projectColumns} WHERE p.uid > $1 ORDER BY p.uid LIMIT $2`
const headsSql = `SELECT secret_uid AS uid, secret_uid, project_uid, version, name, key, scope, stagelet, type, file, bytes,
  value_digest, refs FROM secret_versions WHERE to_revision IS NULL AND secret_uid > $1 ORDER BY secret_uid LIMIT $2`

const objectOf = ({ kind, namespace, name, body: text, ...row }: ObjectColumns): StoredRow =>
  objectRow({ kind, namespace, name }, { ...row, text })

/** Somebody may have made a second current version of a secret by SQL: it must not replace the first one. */
const headOf = (state: State, row: VersionRow & { project_uid: string }): Pair<HeadRow> => {
  const isSecond = state.heads.get(row.secret_uid) !== undefined
  const id = isSecond ? `${row.secret_uid} ${row.version}` : row.secret_uid
  return [id, { id, projectUid: row.project_uid, entry: toEntry(row) }]
}

const loadInto = async (q: Queryable, state: State): Promise<void> => {
  const apply = (delta: Partial<Delta>): void => state.apply(delta, state.rv)
  for await (const rows of pages<ObjectColumns>(q, objectsSql)) state.load(rows.map(objectOf))
  for await (const rows of pages<ProjectColumns>(q, projectsSql))
    apply({ projects: rows.map((row) => [row.uid, toProject(row)] as const) })
  for await (const rows of pages<VersionRow & { uid: string; project_uid: string }>(q, headsSql))
    for (const row of rows) apply({ heads: [headOf(state, row)] })
  const deletedSecrets = await q.query<{ id: string; projectUid: string }>(
    'SELECT secret_uid AS id, project_uid AS "projectUid" FROM deleted_secrets',
    [],
  )
  apply({ deletedSecrets: deletedSecrets.map((row) => [row.id, row] as const) })
  const removed = await q.query<{ name: string }>('SELECT name FROM former_namespaces', [])
  apply({ removedNamespaces: removed.map(({ name }) => name) })
}

interface LoadedCounters extends TipColumns {
  rv: number
  epoch: number
  seq: number
  hash: string
}

/** One snapshot of all tables. */
export const loadState = (sql: Sql): Promise<State> =>
  sql.transaction(async (tx) => {
    // The transaction is idle while a page is applied. It holds no lock that others wait for.
    await tx.exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
      SET LOCAL idle_in_transaction_session_timeout = '60s'`)
    const [counters] = await tx.query<LoadedCounters>(
      `SELECT c.rv, c.epoch, c.tip, c.tip_at, ${chainEndColumns} FROM counters c ${chainEndJoins}`,
      [],
    )
    if (counters === undefined) throw new Error('the counter row is missing')
    const { rv, epoch, seq, hash } = counters
    const state = new State({ rv, epoch, chain: { seq, hash }, tip: tipOf(counters) })
    await loadInto(tx, state)
    return state
  })
