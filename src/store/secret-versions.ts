// The current version of one secret.
import type { WriteSession } from './session.ts'
import { sealedColumns, type SealedRow } from './sets.ts'

const headSql = `SELECT ${sealedColumns} FROM secret_versions v WHERE v.secret_uid = $1 AND v.to_revision IS NULL`

/** Undefined where the secret has no value, or has none any more. */
export const loadHeadRow = async (
  session: WriteSession,
  secretUid: string,
): Promise<SealedRow | undefined> => {
  const [row] = await session.read<SealedRow>(headSql, [secretUid])
  return row
}
