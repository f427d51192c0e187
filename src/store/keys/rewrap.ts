// Wraps all keys with the present master key, or with the key that their project names. Key services are asked outside of
// writes, and a row is replaced only where it has not changed since it was read.
import { isReason } from '../../kernel/errors.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Store } from '../store.ts'
import type { Queryable } from '../drivers/sql.ts'
import { ringOf } from '../secrets/project-ring.ts'
import {
  targetsText,
  wrapPlaces,
  wrappedByOtherKey,
  type WrapPlace,
  type WrappedRow,
  type WrapTargets,
} from './wraps.ts'
import { controllerActor } from '../core/actor.ts'

const rowsAtOnce = 20

const nextSql = (place: WrapPlace): string => `
SELECT ${place.id}::text AS id, ${place.project} AS project, ${place.column} AS wrapped,
  coalesce(${place.by}, '') AS by
FROM ${place.table}
WHERE ${wrappedByOtherKey(place)} AND NOT ('${place.table}/' || ${place.id}::text) = ANY($2::text[])
LIMIT ${rowsAtOnce}`

interface Rewrapped {
  readonly place: WrapPlace
  readonly row: WrappedRow
  readonly ring: KeyRing
  readonly wrapped: string
}

const wrapAnew = async (
  provider: KeyRing,
  place: WrapPlace,
  row: WrappedRow,
): Promise<Rewrapped> => {
  const context = place.contextOf(row)
  const ring = ringOf(provider, row.by === '' ? undefined : row.by, place.table)
  const bytes = await provider.unwrap(row.wrapped, context)
  try {
    return { place, row, ring, wrapped: await ring.wrap(bytes, context) }
  } finally {
    bytes.fill(0)
  }
}

/** Changes the state too: a later write of the project would store the old text again. */
const noteInState = (session: WriteSession, { place, row, wrapped }: Rewrapped): void => {
  const { projects } = session.view
  const project = row.project === '' ? undefined : projects.get(row.project)
  if (project === undefined) return
  if (place.table === 'projects' && project.digestKey === row.wrapped)
    projects.set(project.id, { ...project, digestKey: wrapped })
  const { id } = project.dataKey
  if (place.table === 'data_keys' && id === row.id)
    projects.set(project.id, { ...project, dataKey: { id, wrapped } })
}

/** False where the row has changed. */
const replace = async (session: WriteSession, made: Rewrapped): Promise<boolean> => {
  const { place, row, ring, wrapped } = made
  const named =
    place.table === 'data_keys'
      ? { set: ', provider = $4, provider_key_id = $5', more: [ring.name, ring.keyId] }
      : { set: '', more: [] }
  const rows = await session.tx.query(
    `UPDATE ${place.table} SET ${place.column} = $3${named.set}
     WHERE ${place.id}::text = $1 AND ${place.column} = $2 RETURNING 1`,
    [row.id, row.wrapped, wrapped, ...named.more],
  )
  if (rows.length > 0) noteInState(session, made)
  return rows.length > 0
}

/** Wraps one batch, like resealBatch(). Texts with their prefix in `targets` are done; keys without a target wait. */
export const rewrapBatch = async (
  { sql, store, keyRing }: { sql: Queryable; store: Store; keyRing: KeyRing },
  targets: WrapTargets,
  damaged: Set<string>,
): Promise<{ resealed: number; more: boolean }> => {
  for (const place of wrapPlaces) {
    const rows = await sql.query<WrappedRow>(nextSql(place), [targetsText(targets), [...damaged]])
    if (rows.length === 0) continue
    const tried = rows.map((row) =>
      wrapAnew(keyRing, place, row).catch((error: unknown) => {
        if (!isReason(error, 'InternalError')) throw error
        damaged.add(`${place.table}/${row.id}`)
        return undefined
      }),
    )
    const made = (await Promise.all(tried)).filter((key) => key !== undefined)
    const resealed = await store.writeWithSession(controllerActor, async (session) => {
      let replaced = 0
      for (const key of made) if (await replace(session, key)) replaced += 1
      return replaced
    })
    return { resealed, more: true }
  }
  return { resealed: 0, more: false }
}
