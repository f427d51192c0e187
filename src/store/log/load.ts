// Loads the state from the tables.
import { parseLayout } from '../../secrets/layout.ts'
import { newestLayout, toEntry, type VersionRow } from '../secrets/set-rows.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import { chainEndColumns, chainEndJoins, tipOf, type TipColumns } from './follow.ts'
import { objectRow, type HeadRow, type ProjectRow, type StoredRow } from '../state/rows.ts'
import { StoreState, type Delta } from '../state/state.ts'

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

type PlainColumns = Omit<
  ProjectRow,
  'id' | 'dataKey' | 'changeSets' | 'headMac' | 'lines' | 'layout'
>

interface ProjectColumns extends RowOf<PlainColumns> {
  readonly uid: string
  readonly changeSets: string
  readonly layout: string | null
  readonly headMac: string
  readonly dataKeyId: string
  readonly wrapped: string
}

const projectColumns = `p.uid, p.namespace, p.name, p.digest_key AS "digestKey", p.key_provider AS "keyProvider",
  p.revision AS closed, p.opened_at AS "openedAt", p.last_write_at AS "lastWriteAt", p.change_sets AS "changeSets", p.note,
  p.head_mac AS "headMac", p.quiet_at AS "quietAt", k.id AS "dataKeyId", k.wrapped,
  ${newestLayout('true')} AS layout
FROM projects p JOIN data_keys k ON k.project_uid = p.uid AND k.retired_at IS NULL`

const toProject = (columns: ProjectColumns): ProjectRow => {
  const { uid: id, changeSets, headMac, dataKeyId, wrapped, layout, ...row } = columns
  return {
    ...fromRow<PlainColumns>(row),
    id,
    dataKey: { id: dataKeyId, wrapped },
    changeSets: JSON.parse(changeSets) as Record<string, number>,
    ...(layout !== null && { layout: parseLayout(layout) }),
    headMac: () => headMac,
  }
}

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
  value_digest, refs, environments, plain, made, drawn FROM secret_versions WHERE to_revision IS NULL AND secret_uid > $1 ORDER BY secret_uid LIMIT $2`

const objectOf = ({ kind, namespace, name, body: text, ...row }: ObjectColumns): StoredRow =>
  objectRow({ kind, namespace, name }, { ...row, text })

/** Somebody may have made a second current version of a secret by SQL: it must not replace the first one. */
const headOf = (state: StoreState, row: VersionRow & { project_uid: string }): Pair<HeadRow> => {
  const isSecond = state.heads.get(row.secret_uid) !== undefined
  const id = isSecond ? `${row.secret_uid} ${row.version}` : row.secret_uid
  return [id, { id, projectUid: row.project_uid, entry: toEntry(row) }]
}

const loadInto = async (q: Queryable, state: StoreState): Promise<void> => {
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
export const loadState = (sql: Sql): Promise<StoreState> =>
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
    const state = new StoreState({ rv, epoch, chain: { seq, hash }, tip: tipOf(counters) })
    await loadInto(tx, state)
    return state
  })
