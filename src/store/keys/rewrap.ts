// Wraps every key anew under the master key of now. Each row is replaced by itself, and only while
// it is what was read: a writer is never waited for, and never overwritten.
import { isReason } from '../../kernel/errors.ts'
import { wrapPrefixSql, type KeyProvider } from '../../secrets/key-provider.ts'
import type { Queryable } from '../sql.ts'
import { wrapPlaces, type WrapPlace, type WrappedRow } from './wraps.ts'

const rowsAtOnce = 20

const nextSql = ({ table, column, id, project }: WrapPlace): string => `
SELECT ${id}::text AS id, ${project} AS project, ${column} AS wrapped FROM ${table}
WHERE ${wrapPrefixSql(column)} <> $1 AND NOT ('${table}/' || ${id}::text) = ANY($2::text[])
LIMIT ${rowsAtOnce}`

const replace = async (
  q: Queryable,
  provider: KeyProvider,
  place: WrapPlace,
  row: WrappedRow,
): Promise<number> => {
  const context = place.contextOf(row)
  const bytes = await provider.unwrap(row.wrapped, context)
  let wrapped: string
  try {
    wrapped = await provider.wrap(bytes, context)
  } finally {
    bytes.fill(0)
  }
  const named =
    place.table === 'data_keys'
      ? { set: ', provider = $4, provider_key_id = $5', more: [provider.name, provider.keyId] }
      : { set: '', more: [] }
  const rows = await q.query(
    `UPDATE ${place.table} SET ${place.column} = $3${named.set}
     WHERE ${place.id}::text = $1 AND ${place.column} = $2 RETURNING 1`,
    [row.id, row.wrapped, wrapped, ...named.more],
  )
  return rows.length
}

/** One batch, as resealBatch. `target` is the prefix of what needs no more work. */
export const rewrapBatch = async (
  q: Queryable,
  provider: KeyProvider,
  target: string,
  damaged: Set<string>,
): Promise<{ moved: number; more: boolean }> => {
  for (const place of wrapPlaces) {
    const rows = await q.query<WrappedRow>(nextSql(place), [target, [...damaged]])
    if (rows.length === 0) continue
    const moved = await Promise.all(
      rows.map(async (row) => {
        try {
          return await replace(q, provider, place, row)
        } catch (error) {
          if (!isReason(error, 'InternalError')) throw error
          damaged.add(`${place.table}/${row.id}`)
          return 0
        }
      }),
    )
    return { moved: moved.reduce((a, b) => a + b, 0), more: true }
  }
  return { moved: 0, more: false }
}
