// The current version of one secret, and its last one.
import type { SessionReads } from './session-reads.ts'
import type { WriteSession } from './session.ts'
import { loadDataKeys, openRow, sealedColumns, type SealedRow } from './sets.ts'

const headSql = `SELECT ${sealedColumns} FROM secret_versions v WHERE v.secret_uid = $1 AND v.to_revision IS NULL`

/** Undefined where the secret has no value, or has none any more. */
export const loadHeadRow = async (
  session: SessionReads,
  secretUid: string,
): Promise<SealedRow | undefined> => {
  const [row] = await session.read<SealedRow>(headSql, [secretUid])
  return row
}

export const openHeadRow = async (
  session: WriteSession,
  projectUid: string,
  head: SealedRow,
): Promise<Buffer> => {
  const dataKeys = await loadDataKeys(session.tx, session.deps.keys, projectUid)
  return openRow(dataKeys, projectUid, head)
}

/** A restored secret has versions, and no current one: its numbers go on. 0 where it has none. */
export const lastVersion = async (
  session: WriteSession,
  secretUid: string,
  head?: SealedRow,
): Promise<number> => {
  if (head !== undefined) return head.version
  const [row] = await session.tx.query<{ last: number }>(
    'SELECT coalesce(max(version), 0) AS last FROM secret_versions WHERE secret_uid = $1',
    [secretUid],
  )
  return row?.last ?? 0
}
