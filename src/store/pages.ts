// Lists in pages. Every page shows the objects as they were at one version: what changed since is
// undone with the bodies that the change feed keeps.
import { StagelyError } from '../kernel/errors.ts'
import { idsOf } from './reads.ts'
import type { Queryable } from './sql.ts'
import type { State } from './state/state.ts'
import type { ListOptions, ObjectPage, PageOptions } from './store.ts'
import { storedObject } from './stored-object.ts'

const columns = 'namespace, name, body'

/** True for rows of `table` that lie within the namespaces of the parameter; see ListOptions. */
const withinSql = (table: string, parameter: number): string =>
  `($${parameter}::text[] IS NULL OR coalesce(nullif(${table}.namespace, ''), ${table}.name) = ANY ($${parameter}))`

/** The first change after $7 tells what was there at $7; objects that have none are as they were. */
const sourceAt = `
  SELECT ${columns} FROM objects WHERE kind = $1 AND rv <= $7
  UNION ALL
  SELECT * FROM (
    SELECT DISTINCT ON (namespace, name) namespace, name, previous AS body
    FROM changes WHERE kind = $1 AND rv > $7 ORDER BY namespace, name, rv
  ) first WHERE body IS NOT NULL`

/** When the newest namespace of those asked for was made; 0 where that is longer ago than changes are kept. */
const madeSql = (namespace: number, within: number): string =>
  `(SELECT coalesce(max(rv), 0) FROM changes
    WHERE kind = 'Namespace' AND type = 'ADDED' AND (name = $${namespace} OR name = ANY ($${within})))`

/** Expired for a version from before a namespace was made: another may have had its name then. */
export const refuseBefore = async (
  q: Queryable,
  version: number,
  { namespace, within }: ListOptions,
): Promise<void> => {
  const [row] = await q.query<{ made: number }>(`SELECT ${madeSql(1, 2)} AS made`, [
    namespace ?? null,
    within ?? null,
  ])
  if (version < (row?.made ?? 0))
    throw new StagelyError('Expired', `too old resource version: ${version} (${row?.made})`)
}

const pageSql = (source: string): string => `
WITH source AS NOT MATERIALIZED (${source}),
  rest AS NOT MATERIALIZED (
    SELECT * FROM source WHERE ($2::text IS NULL OR namespace = $2) AND ${withinSql('source', 6)}
      AND (namespace COLLATE "C", name COLLATE "C") > ($3, $4)
  ),
  page AS (SELECT * FROM rest ORDER BY namespace COLLATE "C", name COLLATE "C" LIMIT $5)
SELECT c.rv, c.compacted_rv, (SELECT count(*) FROM rest) AS total, p.body
FROM counters c LEFT JOIN page p ON true
ORDER BY p.namespace COLLATE "C", p.name COLLATE "C"`

interface Row {
  rv: number
  compacted_rv: number
  total: number
  body: string | null
}

/** A page of what is stored now. */
export const pageNow = (state: State, kind: string, options: PageOptions): ObjectPage => {
  const ids = idsOf(state, kind, options)
  const items = ids.slice(0, options.limit).map((id) => state.objects.get(id)!)
  return { items, resourceVersion: state.rv, remaining: ids.length - items.length }
}

/** A page of what was stored at a version. One statement, so one snapshot. Expired where it is not kept. */
export const pageAt = async (
  q: Queryable,
  kind: string,
  { namespace, within, at, after, limit }: PageOptions & { readonly at: number },
): Promise<ObjectPage> => {
  const place = [after?.namespace ?? '', after?.name ?? '']
  const params = [kind, namespace ?? null, ...place, limit, within ?? null, at]
  const rows = await q.query<Row>(pageSql(sourceAt), params)
  const { compacted_rv: compacted = 0, total = 0 } = rows[0] ?? {}
  await refuseBefore(q, at, { namespace, within })
  if (at < compacted)
    throw new StagelyError('Expired', `version ${at} is no longer kept (${compacted})`)
  const items = rows.flatMap(({ body }) => (body === null ? [] : [storedObject(body)]))
  return { items, resourceVersion: at, remaining: total - items.length }
}
