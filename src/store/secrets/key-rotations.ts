// Rotations of keys as rows. A rotation begins in one write: from its commit on the old keys seal nothing. It goes on in small
// steps, which any controller may continue.
import { defined } from '../../kernel/defined.ts'
import { randomUUID } from 'node:crypto'
import { StagelyError } from '../../kernel/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable } from '../drivers/sql.ts'

type RotationKind = 'data' | 'master'
type RotationState = 'Running' | 'Succeeded' | 'Failed'

export interface RunningKeyRotation {
  readonly id: string
  readonly kind: RotationKind
  /** Of `data`: uid of the one project; undefined for all. */
  readonly projectUid: string | undefined
  /** Of `master`: prefix of the texts that are wrapped from now on. */
  readonly target: string | undefined
  readonly state: RotationState
  /** Rows that were sealed or wrapped anew. */
  readonly done: number
  readonly startedAt: number
  readonly startedBy: string
  readonly updatedAt: number
  readonly finishedAt: number | undefined
  /** Why the rotation waits, or has failed. */
  readonly message: string
}

const columns = `id, kind, project_uid AS "projectUid", target, state, done, started_at AS "startedAt",
  started_by AS "startedBy", updated_at AS "updatedAt", finished_at AS "finishedAt", message`

/** Newest first. */
export const listRotations = async (q: Queryable, limit: number): Promise<RunningKeyRotation[]> => {
  const rows = await q.query<RowOf<RunningKeyRotation>>(
    `SELECT ${columns} FROM key_rotations ORDER BY started_at DESC, id LIMIT $1`,
    [limit],
  )
  return rows.map((row) => fromRow<RunningKeyRotation>(row))
}

/** The object of audit rows about keys. */
const keysRef = { kind: 'Keys', namespace: '', name: 'master' }

const insertSql = `
INSERT INTO key_rotations (id, kind, project_uid, target, state, started_at, started_by, updated_at)
SELECT $1, $2, $3, $4, 'Running', $5, $6, $5
WHERE NOT EXISTS (SELECT 1 FROM key_rotations WHERE state = 'Running' AND kind = $2
  AND ($3::uuid IS NULL OR project_uid IS NULL OR project_uid = $3))
RETURNING ${columns}`

interface NewRotation {
  readonly kind: RotationKind
  readonly projectUid?: string | undefined
  readonly target?: string | undefined
}

/** Undefined, without effect, while another rotation of this kind runs for all projects or for this one. */
export const beginRotation = async (
  session: WriteSession,
  { kind, projectUid, target }: NewRotation,
): Promise<RunningKeyRotation | undefined> => {
  const params = [
    randomUUID(),
    kind,
    projectUid ?? null,
    target ?? null,
    session.nowMs,
    session.actor.name,
  ]
  const [row] = await session.tx.query<RowOf<RunningKeyRotation>>(insertSql, params)
  if (row === undefined) return undefined
  session.audit(keysRef, {
    action: 'rotate keys',
    detail: { kind, rotation: row.id, ...defined({ projectUid }) },
  })
  return fromRow<RunningKeyRotation>(row)
}

/** beginRotation(), or a Conflict. */
export const insertRotation = async (
  session: WriteSession,
  rotation: NewRotation,
): Promise<RunningKeyRotation> => {
  const begun = await beginRotation(session, rotation)
  if (begun !== undefined) return begun
  throw new StagelyError(
    'Conflict',
    `a rotation of ${rotation.kind} keys is running: wait for it (stagely admin keys status), then try again`,
  )
}

const claimSql = `
UPDATE key_rotations SET runner = $1, lease_until = $3 WHERE id = (
  SELECT id FROM key_rotations WHERE state = 'Running' AND (runner = $1 OR lease_until < $2)
  ORDER BY message <> '', started_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING ${columns}`

/** Takes a rotation for this runner until `leaseUntil`, first one that does not wait for a key; undefined where there is none. */
export const claimRotation = async (
  q: Queryable,
  { runner, now, leaseUntil }: { runner: string; now: number; leaseUntil: number },
): Promise<RunningKeyRotation | undefined> => {
  const [row] = await q.query<RowOf<RunningKeyRotation>>(claimSql, [runner, now, leaseUntil])
  return row === undefined ? undefined : fromRow<RunningKeyRotation>(row)
}

/** Stores how far the rotation is, or why it waits, and renews its lease. */
export const noteRotation = async (
  q: Queryable,
  id: string,
  {
    done = 0,
    now,
    leaseUntil,
    message = '',
  }: { done?: number; now: number; leaseUntil: number; message?: string },
): Promise<void> => {
  await q.query(
    'UPDATE key_rotations SET done = done + $2, updated_at = $3, lease_until = $4, message = $5 WHERE id = $1',
    [id, done, now, leaseUntil, message],
  )
}

export const endRotation = async (
  session: WriteSession,
  { id, kind }: RunningKeyRotation,
  message: string,
): Promise<void> => {
  const state: RotationState = message === '' ? 'Succeeded' : 'Failed'
  const [row] = await session.tx.query<{ done: number }>(
    `UPDATE key_rotations SET state = $2, finished_at = $3, updated_at = $3, message = $4
     WHERE id = $1 AND state = 'Running' RETURNING done`,
    [id, state, session.nowMs, message],
  )
  if (row === undefined) return
  const detail = { kind, rotation: id, done: row.done, state }
  session.audit(keysRef, { action: 'end key rotation', detail })
}
