// The audit log goes on after a restore with a row that says so, once, whatever ends the first start.
import type { SqlStore } from '../sql-store.ts'

export const auditRestore = (store: SqlStore): Promise<void> =>
  store.writeWithSession({ name: 'controller', source: 'system' }, async (session) => {
    const [row] = await session.tx.query<{ restored: string | null }>(
      'SELECT restored FROM counters',
    )
    if (row === undefined || row.restored === null) return
    const detail = JSON.parse(row.restored) as Record<string, unknown>
    session.audit({ kind: 'Backup', namespace: '', name: 'restore' }, { action: 'restore', detail })
    await session.tx.query('UPDATE counters SET restored = NULL')
  })
