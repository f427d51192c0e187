// At the first start after the restore of a backup, or after the database has lost commits: Rotations note that their
// credentials may be outdated, stores elsewhere have to be read again, and an audit row tells of the restore. This happens
// once, also where the start fails.
import { toTimestamp } from '../../kernel/clock.ts'
import type { Restored } from '../../kinds/rotation/schema.ts'
import { untested } from '../../rollout/restored.ts'
import type { Store } from '../store.ts'
import { controllerActor } from '../core/actor.ts'

interface Fact extends Record<string, unknown> {
  readonly takenAt: string
  /** The database has lost commits. */
  readonly lost?: true
}

export const noteRestore = (store: Store): Promise<void> =>
  store.writeWithSession(controllerActor, async (session, tx) => {
    const [row] = await session.tx.query<{ restored: string | null }>(
      'SELECT restored FROM counters',
    )
    if (row === undefined || row.restored === null) return
    const detail = JSON.parse(row.restored) as Fact
    const { takenAt } = detail
    const restored: Restored = {
      at: toTimestamp(session.nowMs),
      takenAt,
      state: 'Untested',
      message: untested,
    }
    for (const rotation of (await tx.list('Rotation')).items)
      await tx.setStatus({ ...rotation, status: { ...rotation.status, restored } })
    for (const { status, ...store } of (await tx.list('SecretStore')).items) {
      const { lastLookAt: _, nextLookAt: __, ...unlooked } = status ?? {}
      await tx.setStatus({ ...store, status: unlooked })
    }
    const action = detail.lost === true ? 'lost commits' : 'restore'
    session.audit({ kind: 'Backup', namespace: '', name: 'restore' }, { action, detail })
    await session.tx.query('UPDATE counters SET restored = NULL')
  })
