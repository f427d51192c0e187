// Staged values: the credentials of running attempts of Rotations, sealed. After a crash the attempt goes on with the same
// credential.
import { open, seal } from '../../secrets/aead.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import type { WriteSession } from '../core/write-session.ts'
import { requireProjectState } from './projects.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'

export type StagedRole = 'new' | 'old'

export interface StagedPlace {
  readonly rotationUid: string
  readonly attempt: number
  readonly role: StagedRole
}

export interface StagedCredential {
  /** Of those that take turns, such as roles of a database; undefined where the rotator has none. */
  readonly slot: string | undefined
  /** By output: username, password, url… */
  readonly values: Readonly<Record<string, string>>
}

/** The AAD: a staged value does not open as another output, or for another attempt. */
export const stagedAad = (
  projectUid: string,
  { rotationUid, attempt, role, output }: StagedPlace & { readonly output: string },
): string => JSON.stringify(['stagely staged v1', projectUid, rotationUid, attempt, role, output])

/** Stores the credential in the write that begins the attempt. A stored one stays. */
export const stageCredential = async (
  session: WriteSession,
  project: ObjectRef,
  place: StagedPlace,
  { slot, values }: StagedCredential,
): Promise<void> => {
  const { uid, dataKey, row } = await requireProjectState(session, project)
  const { rotationUid, attempt, role } = place
  for (const [output, value] of Object.entries(values)) {
    const sealed = seal(dataKey, Buffer.from(value), stagedAad(uid, { ...place, output }))
    await session.tx.query(
      `INSERT INTO staged_values (rotation_uid, attempt, role, output, slot, project_uid, data_key_id, sealed, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
      [
        rotationUid,
        attempt,
        role,
        output,
        slot ?? null,
        uid,
        row.dataKey.id,
        sealed,
        session.nowMs,
      ],
    )
  }
}

/** Called at the end of an attempt, and when its Rotation is removed. */
export const dropStaged = async (session: WriteSession, rotationUid: string): Promise<void> => {
  await session.tx.query('DELETE FROM staged_values WHERE rotation_uid = $1', [rotationUid])
}

/** Marks the versions before this one as revoked, but for those with its value. */
export const revokeVersions = async (
  session: WriteSession,
  secretUid: string,
  version: number,
): Promise<void> => {
  await session.tx.query(
    `UPDATE secret_versions SET revoked_at = $3
     WHERE secret_uid = $1 AND version < $2 AND revoked_at IS NULL AND value_digest IS DISTINCT FROM $4`,
    [secretUid, version, session.nowMs, session.head(secretUid)?.valueDigest ?? null],
  )
}

/** Notes that the value of the newest revoked version before this one is refused since then. */
export const refuseVersions = async (
  session: WriteSession,
  secretUid: string,
  { version, atMs }: { readonly version: number; readonly atMs: number },
): Promise<void> => {
  await session.tx.query(
    `UPDATE secret_versions SET refused_at = $3
     WHERE secret_uid = $1 AND version < $2 AND revoked_at IS NOT NULL AND refused_at IS NULL
       AND value_digest = (SELECT value_digest FROM secret_versions
         WHERE secret_uid = $1 AND version < $2 AND revoked_at IS NOT NULL ORDER BY version DESC LIMIT 1)`,
    [secretUid, version, atMs],
  )
}

export const isRevoked = async (
  q: Queryable,
  { secretUid, version }: { readonly secretUid: string; readonly version: number },
): Promise<boolean> => {
  const rows = await q.query(
    'SELECT 1 FROM secret_versions WHERE secret_uid = $1 AND version = $2 AND revoked_at IS NOT NULL',
    [secretUid, version],
  )
  return rows.length > 0
}

interface Row extends Record<string, unknown> {
  output: string
  slot: string | null
  project_uid: string
  sealed: string
  id: string
  wrapped: string
}

export class StagedValues {
  readonly #sql: Sql
  readonly #keys: ProjectKeys

  constructor(sql: Sql, keys: ProjectKeys) {
    this.#sql = sql
    this.#keys = keys
  }

  /** undefined where none is stored. */
  async open(place: StagedPlace): Promise<StagedCredential | undefined> {
    const rows = await this.#sql.query<Row>(
      `SELECT s.output, s.slot, s.project_uid, s.sealed, k.id, k.wrapped FROM staged_values s
       JOIN data_keys k ON k.id = s.data_key_id
       WHERE s.rotation_uid = $1 AND s.attempt = $2 AND s.role = $3`,
      [place.rotationUid, place.attempt, place.role],
    )
    const [first] = rows
    if (first === undefined) return undefined
    const values = await Promise.all(
      rows.map(async ({ output, project_uid: project, sealed, id, wrapped }) => {
        const key = await this.#keys.dataKey(project, id, wrapped)
        const aad = stagedAad(project, { ...place, output })
        return [output, open(key, sealed, aad).toString('utf8')] as const
      }),
    )
    return { slot: first.slot ?? undefined, values: Object.fromEntries(values) }
  }

  /** Drops staged values of Rotations that do not exist any more. */
  async dropOrphans(): Promise<void> {
    await this.#sql.query(
      'DELETE FROM staged_values s WHERE NOT EXISTS (SELECT 1 FROM objects o WHERE o.uid = s.rotation_uid)',
      [],
    )
  }
}
