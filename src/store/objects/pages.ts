// Lists in pages. All pages of a list show the objects at one version. Later changes are undone with the bodies in the log.
import { StagelyError } from '../../kernel/errors.ts'
import { idsOf, rowsOfProject } from './reads.ts'
import type { Queryable } from '../drivers/sql.ts'
import { sortedPlaceOf, placeOfId } from '../state/sorted-names.ts'
import type { StoreState } from '../state/state.ts'
import type { ListOptions, ObjectPage, PageOptions } from '../core/objects.ts'
import { storedObject } from '../core/stored-object.ts'

/** The objects at version $6 that were changed until version $7: the first change of each has its body from before. */
const changedSql = `
WITH first AS NOT MATERIALIZED (
    SELECT DISTINCT ON (namespace, name) namespace, name, previous AS body
    FROM changes WHERE kind = $1 AND rv > $6 AND rv <= $7 AND ($2::text IS NULL OR namespace = $2)
      AND (namespace COLLATE "C", name COLLATE "C") > ($3, $4)
      AND ($5::text[] IS NULL OR coalesce(nullif(namespace, ''), name) = ANY ($5))
    ORDER BY namespace, name, rv
  ),
  there AS NOT MATERIALIZED (
    SELECT * FROM first
    WHERE body IS NOT NULL AND ($9::text IS NULL OR body::json #>> '{spec,projectRef,name}' = $9)
  ),
  page AS (SELECT * FROM there ORDER BY namespace COLLATE "C", name COLLATE "C" LIMIT $8)
SELECT c.compacted_rv, (SELECT count(*) FROM there) AS total, p.namespace, p.name, p.body
FROM counters c LEFT JOIN page p ON true
ORDER BY p.namespace COLLATE "C", p.name COLLATE "C"`

/** The version at which the newest of the requested namespaces was made; 0 where the log does not have it any more. */
const madeSql = (namespace: number, within: number): string =>
  `(SELECT coalesce(max(rv), 0) FROM changes
    WHERE kind = 'Namespace' AND type = 'ADDED' AND (name = $${namespace} OR name = ANY ($${within})))`

/** Expired for a version that is older than a requested namespace: another one may have had its name. */
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

interface Row {
  compacted_rv: number
  total: number
  namespace: string
  name: string
  body: string | null
}

/** Ids of the list from the place on, in order. The index of a project's objects costs what the project has. */
const idsOfPage = (state: StoreState, kind: string, options: PageOptions): string[] => {
  const { namespace = '', project, after } = options
  if (project === undefined) return idsOf(state, kind, options)
  const ids = rowsOfProject(state, kind, { namespace, name: project }).map(({ id }) => id)
  if (after === undefined) return ids
  const place = sortedPlaceOf(after.namespace, after.name)
  return ids.filter((id) => placeOfId(id) > place)
}

/** A page of the state. */
export const pageNow = (state: StoreState, kind: string, options: PageOptions): ObjectPage => {
  const ids = idsOfPage(state, kind, options)
  const items = ids.slice(0, options.limit).map((id) => state.objects.get(id)!)
  return { items, resourceVersion: state.rv, remaining: ids.length - items.length }
}

/** A page of the state at an older version: unchanged objects from memory, the others from the log. Expired where the log is too short. */
export const pageAt = async (
  q: Queryable,
  state: StoreState,
  kind: string,
  options: PageOptions & { readonly at: number },
): Promise<ObjectPage> => {
  const { namespace, within, project, at, after, limit } = options
  // Both are taken before the query: commits that come during the query are in neither.
  const until = state.rv
  const unchanged = idsOfPage(state, kind, options)
    .map((id) => state.objects.get(id)!)
    .filter(({ rv }) => rv <= at)
  const place = [after?.namespace ?? '', after?.name ?? '']
  const params = [
    kind,
    namespace ?? null,
    ...place,
    within ?? null,
    at,
    until,
    limit,
    project ?? null,
  ]
  const rows = await q.query<Row>(changedSql, params)
  const { compacted_rv: compacted = 0, total = 0 } = rows[0] ?? {}
  await refuseBefore(q, at, { namespace, within })
  if (at < compacted)
    throw new StagelyError('Expired', `version ${at} is no longer kept (${compacted})`)
  const placed = [
    ...unchanged.slice(0, limit).map((row) => ({ place: placeOfId(row.id), row })),
    ...rows.flatMap(({ namespace: rowNamespace, name, body }) =>
      body === null ? [] : [{ place: sortedPlaceOf(rowNamespace, name), row: storedObject(body) }],
    ),
  ]
  const items = placed
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .slice(0, limit)
    .map(({ row }) => row)
  return {
    items,
    resourceVersion: at,
    remaining: unchanged.length + total - items.length,
  }
}
