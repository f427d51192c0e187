// Deleted secrets wait here for their grace time. What is kept is the object, which holds no value;
// its versions stay sealed where they are.
import type { KubeObject } from '../resources/meta.ts'
import type { ProjectState } from './projects.ts'
import type { StoredRow, WriteSession } from './session.ts'

export const bury = (session: WriteSession, project: ProjectState, row: StoredRow): void => {
  const { namespace = '', name } = row.object.metadata
  const { uid: projectUid } = project
  session.view.buried.set(row.uid, { id: row.uid, projectUid })
  session.changes.buried.push({
    ...{ secretUid: row.uid, projectUid, namespace, name },
    ...{ text: row.text, at: session.nowMs, by: session.actor.name },
  })
  // Others hear of it by the project.
  project.changed = true
}

/** Takes the tombstone away and returns the object that it was; undefined where there is none. */
export const unbury = async (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): Promise<KubeObject | undefined> => {
  const [row] = await session.tx.query<{ body: string }>(
    'DELETE FROM deleted_secrets WHERE project_uid = $1 AND secret_uid = $2 RETURNING body',
    [project.uid, secretUid],
  )
  if (row === undefined) return undefined
  session.view.buried.set(secretUid, undefined)
  project.changed = true
  return JSON.parse(row.body) as KubeObject
}

export const dropOldTombstones = async (session: WriteSession, before: number): Promise<void> => {
  const gone = await session.tx.query<{ id: string; project: string }>(
    `DELETE FROM deleted_secrets WHERE deleted_at <= $1
     RETURNING secret_uid AS id, project_uid AS project`,
    [before],
  )
  for (const { id, project } of gone) {
    session.view.buried.set(id, undefined)
    session.reloaded.add(project)
  }
}
