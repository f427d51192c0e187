// Deleted secrets wait here for their grace time. What is kept is the object, which holds no value;
// its versions stay sealed where they are.
import type { KubeObject } from '../resources/meta.ts'
import type { ProjectState } from './projects.ts'
import type { StoredRow, WriteSession } from './session.ts'

export const bury = async (
  session: WriteSession,
  project: ProjectState,
  row: StoredRow,
): Promise<void> => {
  const { namespace = '', name } = row.object.metadata
  await session.send(
    `INSERT INTO deleted_secrets (secret_uid, project_uid, namespace, name, body, deleted_at, deleted_by)
     VALUES ($1, $2, $3, $4, $5::json, $6, $7)`,
    [
      row.uid,
      project.uid,
      namespace,
      name,
      JSON.stringify(row.object),
      session.nowMs,
      session.actor.name,
    ],
  )
}

/** Takes the tombstone away and returns the object that it was; undefined where there is none. */
export const unbury = async (
  session: WriteSession,
  projectUid: string,
  secretUid: string,
): Promise<KubeObject | undefined> => {
  const [row] = await session.tx.query<{ body: string }>(
    'DELETE FROM deleted_secrets WHERE project_uid = $1 AND secret_uid = $2 RETURNING body',
    [projectUid, secretUid],
  )
  return row === undefined ? undefined : (JSON.parse(row.body) as KubeObject)
}

export const dropOldTombstones = async (session: WriteSession, before: number): Promise<void> => {
  await session.tx.query('DELETE FROM deleted_secrets WHERE deleted_at <= $1', [before])
}
