// Destroys data keys that seal nothing any more.
import { toTimestamp } from '../../kernel/clock.ts'
import type { KeyStoreDeps } from './key-store-deps.ts'
import { controllerActor } from '../core/actor.ts'

/** After this time, all readers have ended that began before the last row was sealed with the new key. */
const keepRetiredMs = 60_000

/** Retired keys that seal nothing and that no reader needs: readers that began before $1 have ended. */
const idleSql = `k.retired_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM sealed_rows v WHERE v.data_key_id = k.id)
  AND NOT EXISTS (SELECT 1 FROM key_rotations r WHERE r.kind = 'data'
    AND coalesce(r.project_uid, k.project_uid) = k.project_uid
    AND (r.state = 'Running' OR r.finished_at > $1))`

interface Destroyed {
  id: string
  project: string
  since: number
  until: number
}

/** Each key has an audit row, with its first and last use. */
export const dropRetired = async ({
  sql,
  store,
  clock,
}: Pick<KeyStoreDeps, 'sql' | 'store' | 'clock'>): Promise<void> => {
  const before = clock.now() - keepRetiredMs
  const idle = await sql.query(`SELECT 1 FROM data_keys k WHERE ${idleSql} LIMIT 1`, [before])
  if (idle.length === 0) return
  await store.writeWithSession(controllerActor, async (session) => {
    const gone = await session.tx.query<Destroyed>(
      `DELETE FROM data_keys k WHERE ${idleSql}
       RETURNING id, project_uid AS project, created_at AS since, retired_at AS until`,
      [before],
    )
    for (const { id, project: projectUid, since, until } of gone) {
      const detail = { projectUid, since: toTimestamp(since), until: toTimestamp(until) }
      session.audit({ kind: 'DataKey', namespace: '', name: id }, { action: 'destroy', detail })
    }
  })
}
