// The current version of one secret.
import type { WriteSession } from './session.ts'
import type { SealedRow } from './sets.ts'

const headSql = `
SELECT secret_uid, version, name, key, scope, stagelet, type, file, bytes, value_digest, sealed, data_key_id
FROM secret_versions WHERE secret_uid = $1 AND to_revision IS NULL`

/** Undefined where the secret has no value, or has none any more. */
export const loadHeadRow = async (
  session: WriteSession,
  secretUid: string,
): Promise<SealedRow | undefined> => {
  const [row] = await session.read<SealedRow>(headSql, [secretUid])
  return row
}
