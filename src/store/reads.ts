// Reads that need no transaction.
import { StagelyError } from '../kernel/errors.ts'
import { mapInTurns } from '../kernel/in-turns.ts'
import type { KubeObject, ObjectRef } from '../resources/meta.ts'
import { dueAt } from './revisions.ts'
import type { Queryable } from './sql.ts'
import type { ListOptions, ObjectList, ProjectRevisions, StoredObject } from './store.ts'
import { storedObject } from './stored-object.ts'

export const getStored = async (
  q: Queryable,
  { kind, namespace, name }: ObjectRef,
): Promise<StoredObject | undefined> => {
  const [row] = await q.query<{ body: string }>(
    'SELECT body FROM objects WHERE kind = $1 AND namespace = $2 AND name = $3',
    [kind, namespace, name],
  )
  return row === undefined ? undefined : storedObject(row.body)
}

export const getObjectByUid = async (
  q: Queryable,
  kind: string,
  uid: string,
): Promise<KubeObject | undefined> => {
  const [row] = await q.query<{ body: string }>(
    'SELECT body FROM objects WHERE uid = $1 AND kind = $2',
    [uid, kind],
  )
  return row === undefined ? undefined : (JSON.parse(row.body) as KubeObject)
}

/** True for rows of `table` that lie within the namespaces of the parameter; see ListOptions. */
export const withinSql = (table: string, parameter: number): string =>
  `($${parameter}::text[] IS NULL OR coalesce(nullif(${table}.namespace, ''), ${table}.name) = ANY ($${parameter}))`

/** Texts and resourceVersion come from one statement, so they are one snapshot. */
export const listTexts = async (
  q: Queryable,
  kind: string,
  { namespace, within }: ListOptions,
): Promise<{ texts: string[]; resourceVersion: number }> => {
  const rows = await q.query<{ rv: number; body: string | null }>(
    `SELECT c.rv, o.body FROM counters c
     LEFT JOIN objects o ON o.kind = $1 AND ($2::text IS NULL OR o.namespace = $2) AND ${withinSql('o', 3)}
     ORDER BY o.namespace COLLATE "C", o.name COLLATE "C"`,
    [kind, namespace ?? null, within ?? null],
  )
  const texts = rows.flatMap(({ body }) => (body === null ? [] : [body]))
  return { texts, resourceVersion: rows[0]?.rv ?? 0 }
}

/** Lets others have their turn: not for the inside of a write, for which all other writers wait. */
export const listObjects = async (
  q: Queryable,
  kind: string,
  options: ListOptions,
): Promise<ObjectList> => {
  const { texts, resourceVersion } = await listTexts(q, kind, options)
  const items = await mapInTurns(texts, (text) => JSON.parse(text) as KubeObject)
  return { items, resourceVersion }
}

export const revisionsOf = async (q: Queryable, projectUid: string): Promise<ProjectRevisions> => {
  const [row] = await q.query<{
    epoch: number
    revision: number
    opened_at: number | null
    last_write_at: number | null
    change_sets: string
    quiet_at: number
  }>(
    `SELECT c.epoch, p.revision, p.opened_at, p.last_write_at, p.change_sets, p.quiet_at
     FROM projects p CROSS JOIN counters c WHERE p.uid = $1`,
    [projectUid],
  )
  if (row === undefined) throw new StagelyError('NotFound', `project ${projectUid} not found`)
  const closesAt = dueAt({
    openedAt: row.opened_at ?? undefined,
    lastWriteAt: row.last_write_at ?? undefined,
    changeSets: JSON.parse(row.change_sets) as Record<string, number>,
  })
  return { epoch: row.epoch, closed: row.revision, closesAt, quietAt: row.quiet_at }
}
