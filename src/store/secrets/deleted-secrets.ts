// Deleted secrets can be restored for their grace time. Their objects are kept, which hold no value. Their versions stay
// where they are, sealed.
import type { KubeObject } from '../../resources/meta.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import type { Queryable } from '../drivers/sql.ts'

export const keepDeleted = (session: WriteSession, project: ProjectState, row: StoredRow): void => {
  const { namespace = '', name } = row.object.metadata
  const { uid: projectUid } = project
  session.view.deletedSecrets.set(row.uid, { id: row.uid, projectUid })
  session.changes.deletedSecrets.push({
    secretUid: row.uid,
    projectUid,
    namespace,
    name,
    text: row.text,
    at: session.nowMs,
    by: session.actor.name,
  })
  // Other replicas read of it with the project.
  project.changed = true
}

/** Returns the object of the deleted secret, which is kept no longer; undefined where there is none. */
export const takeDeleted = async (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): Promise<KubeObject | undefined> => {
  const { view, changes } = session
  view.deletedSecrets.set(secretUid, undefined)
  project.changed = true
  const mine = changes.deletedSecrets.findIndex((row) => row.secretUid === secretUid)
  if (mine >= 0) return JSON.parse(changes.deletedSecrets.splice(mine, 1)[0]!.text) as KubeObject
  const [row] = await session.tx.query<{ body: string }>(
    'DELETE FROM deleted_secrets WHERE project_uid = $1 AND secret_uid = $2 RETURNING body',
    [project.uid, secretUid],
  )
  return row && (JSON.parse(row.body) as KubeObject)
}

/** True where dropExpiredSecrets() would drop a secret. */
export const hasExpiredSecrets = async (q: Queryable, before: number): Promise<boolean> =>
  (await q.query('SELECT 1 FROM deleted_secrets WHERE deleted_at <= $1 LIMIT 1', [before]))[0] !==
  undefined

/** Drops what was deleted before `before` (ms). */
export const dropExpiredSecrets = async (session: WriteSession, before: number): Promise<void> => {
  const gone = await session.tx.query<{ id: string }>(
    'DELETE FROM deleted_secrets WHERE deleted_at <= $1 RETURNING secret_uid AS id',
    [before],
  )
  for (const { id } of gone) session.view.deletedSecrets.set(id, undefined)
}
