// Lists in pages. Every page shows the objects as they were at one version: what changed since is
// undone with the bodies that the change feed keeps.
import { StagelyError } from '../kernel/errors.ts'
import { withinSql } from './reads.ts'
import type { Queryable } from './sql.ts'
import type { ListOptions, ObjectPage, PageOptions } from './store.ts'
import { storedObject } from './stored-object.ts'

const columns = 'namespace, name, body'

/** The first change after $7 tells what was there at $7; objects that have none are as they were. */
const sourceAt = `
  SELECT ${columns} FROM objects WHERE kind = $1 AND rv <= $7
  UNION ALL
  SELECT * FROM (
    SELECT DISTINCT ON (namespace, name) namespace, name, previous AS body
    FROM changes WHERE kind = $1 AND rv > $7 ORDER BY namespace, name, rv
  ) first WHERE body IS NOT NULL`

const sourceNow = `SELECT ${columns} FROM objects WHERE kind = $1`

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

/** See Store.listPage. One statement, so one snapshot. */
export const listPage = async (
  q: Queryable,
  kind: string,
  { namespace, within, at, after, limit }: PageOptions,
): Promise<ObjectPage> => {
  const place = [after?.namespace ?? '', after?.name ?? '']
  const params = [kind, namespace ?? null, ...place, limit, within ?? null]
  const rows =
    at === undefined
      ? await q.query<Row>(pageSql(sourceNow), params)
      : await q.query<Row>(pageSql(sourceAt), [...params, at])
  const { rv = 0, compacted_rv: compacted = 0, total = 0 } = rows[0] ?? {}
  if (at !== undefined) await refuseBefore(q, at, { namespace, within })
  if (at !== undefined && at < compacted)
    throw new StagelyError('Expired', `version ${at} is no longer kept (${compacted})`)
  const items = rows.flatMap(({ body }) => (body === null ? [] : [storedObject(body)]))
  return { items, resourceVersion: at ?? rv, remaining: total - items.length }
}
