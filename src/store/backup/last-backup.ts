// When the newest backup was taken, by the audit log.
import type { ObjectRef } from '../../resources/meta.ts'
import type { Sql } from '../drivers/sql.ts'

/** What audit rows of backups are about. */
export const backupRef: ObjectRef = { kind: 'Backup', namespace: '', name: 'backup' }
/** The action of the row that is written once the backup is whole. */
export const backupDone = 'backup complete'

/** In ms since the epoch; undefined where the audit log knows of none. */
export const lastBackupAt = async (sql: Sql): Promise<number | undefined> => {
  const [row] = await sql.query<{ at: Date | null }>(
    `SELECT max(at) AS at FROM audit
     WHERE namespace = '' AND kind = 'Backup' AND name = 'backup' AND action = $1`,
    [backupDone],
  )
  return row?.at?.getTime()
}
