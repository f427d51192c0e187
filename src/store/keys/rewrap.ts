// Wraps every key anew under the key of now: the master key, or the one that its project names. Each row is replaced by itself, and only while
// it is what was read: a writer is never waited for, and never overwritten.
import { isReason } from '../../kernel/errors.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import type { Queryable } from '../sql.ts'
import { ringOf } from './ring-of.ts'
import {
  targetsText,
  wrapPlaces,
  wrappedElsewhere,
  type WrapPlace,
  type WrappedRow,
  type WrapTargets,
} from './wraps.ts'

const rowsAtOnce = 20

const nextSql = (place: WrapPlace): string => `
SELECT ${place.id}::text AS id, ${place.project} AS project, ${place.column} AS wrapped,
  coalesce(${place.by}, '') AS by
FROM ${place.table}
WHERE ${wrappedElsewhere(place)} AND NOT ('${place.table}/' || ${place.id}::text) = ANY($2::text[])
LIMIT ${rowsAtOnce}`

const replace = async (
  q: Queryable,
  provider: KeyRing,
  place: WrapPlace,
  row: WrappedRow,
): Promise<number> => {
  const context = place.contextOf(row)
  const ring = ringOf(provider, row.by === '' ? undefined : row.by, place.table)
  const bytes = await provider.unwrap(row.wrapped, context)
  let wrapped: string
  try {
    wrapped = await ring.wrap(bytes, context)
  } finally {
    bytes.fill(0)
  }
  const named =
    place.table === 'data_keys'
      ? { set: ', provider = $4, provider_key_id = $5', more: [ring.name, ring.keyId] }
      : { set: '', more: [] }
  const rows = await q.query(
    `UPDATE ${place.table} SET ${place.column} = $3${named.set}
     WHERE ${place.id}::text = $1 AND ${place.column} = $2 RETURNING 1`,
    [row.id, row.wrapped, wrapped, ...named.more],
  )
  return rows.length
}

/** One batch, as resealBatch. What has its prefix in `targets` needs no more work; keys without one wait. */
export const rewrapBatch = async (
  q: Queryable,
  provider: KeyRing,
  targets: WrapTargets,
  damaged: Set<string>,
): Promise<{ moved: number; more: boolean }> => {
  for (const place of wrapPlaces) {
    const rows = await q.query<WrappedRow>(nextSql(place), [targetsText(targets), [...damaged]])
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
