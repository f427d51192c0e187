// Tells once of each key that is due for rotation: in the log, and as an event of its project.
import type { KeyStoreDeps } from './key-store.ts'

const dayMs = 86_400_000
const atOnce = 100

interface DueRow {
  id: string
  namespace: string
  name: string
}

const reason = 'KeyRotationDue'

export const warnOfOldKeys = async ({
  store,
  clock,
  log,
  rotationMs,
}: KeyStoreDeps): Promise<void> => {
  const before = clock.now() - rotationMs
  const days = Math.round(rotationMs / dayMs)
  await store.writeWithSession({ name: 'controller', source: 'system' }, async (session, tx) => {
    const rows = await session.tx.query<DueRow>(
      `UPDATE data_keys k SET warned_at = $2 FROM projects p WHERE p.uid = k.project_uid AND k.id IN (
         SELECT id FROM data_keys WHERE retired_at IS NULL AND warned_at IS NULL AND created_at < $1 LIMIT ${atOnce}
       ) RETURNING k.id, p.namespace, p.name`,
      [before, session.nowMs],
    )
    for (const { namespace, name } of rows) {
      const project = await tx.get({ kind: 'Project', namespace, name })
      if (project === undefined) continue
      const message = `the data key is older than ${days} days: stagely keys rotate --project ${name} -n ${namespace}`
      await tx.recordEvent({ regarding: project, type: 'Warning', reason, message })
      log.warn({ reason, namespace, project: name, days }, 'a data key is due for rotation')
    }
    const [master] = await session.tx.query(
      'UPDATE counters SET key_warned_at = $2 WHERE key_since < $1 AND key_warned_at IS NULL RETURNING key_since',
      [before, session.nowMs],
    )
    if (master !== undefined)
      log.warn({ reason, days }, 'the master key is due for rotation: see docs/operations.md')
  })
}
