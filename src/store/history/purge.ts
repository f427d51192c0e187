// Erases a secret: all its versions go, and old revisions are rewritten as if the secret had never existed.
import { StagelyError } from '../../kernel/errors.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import { checkOwner } from '../objects/admission.ts'
import type { ProjectState } from '../core/project-state.ts'
import { finishRemoval } from '../objects/removal.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { linesOf, readSet } from '../secrets/set-rows.ts'
import { dropStaged } from '../secrets/staged-values.ts'
import { term } from '../state/rows.ts'
import { takeDeleted } from '../secrets/deleted-secrets.ts'
import { requireProjectState } from '../secrets/projects.ts'

const findLiving = (session: WriteSession, uid: string): StoredRow | undefined =>
  session.select(term.uid(uid)).find(({ object }) => object.kind === 'StagelySecret')

/**
 * The revisions that held the secret get the MAC of the set without it: each is checked by its old
 * MAC first, so that rows changed outside Stagely never get a good one.
 */
const rewriteRevisions = async (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): Promise<void> => {
  const rows = await session.tx.query<{ revision: number }>(
    `SELECT r.revision FROM revisions r WHERE r.project_uid = $1 AND EXISTS (
       SELECT 1 FROM secret_versions v WHERE v.secret_uid = $2 AND v.from_revision <= r.revision
         AND (v.to_revision IS NULL OR v.to_revision > r.revision))`,
    [project.uid, secretUid],
  )
  for (const { revision } of rows) {
    const set = await readSet(session.tx, session.deps.keys, project.uid, revision)
    const mac = linesOf(set).with(secretUid, undefined).mac(project.digestKey, revision)
    await session.tx.query(
      'UPDATE revisions SET mac = $3 WHERE project_uid = $1 AND revision = $2',
      [project.uid, revision, mac],
    )
  }
}

/** An attempt of a Rotation keeps the value too. It cannot go on without the value. */
const purgeStaged = async (session: WriteSession, ref: ObjectRef, name: string): Promise<void> => {
  for (const { uid, object } of session.select(term.rotationsOf(ref))) {
    const { outputs } = specOf('Rotation', object)
    if (Object.values(outputs).includes(name)) await dropStaged(session, uid)
  }
}

/** See Transaction.purgeSecret. */
export const purgeSecret = async (
  session: WriteSession,
  ref: ObjectRef,
  secretUid: string,
): Promise<{ name: string; versions: number }> => {
  const project = await requireProjectState(session, ref)
  const living = findLiving(session, secretUid)
  if (living !== undefined) checkOwner(session, living)
  const versions = await session.tx.query<{ name: string; project_uid: string }>(
    'SELECT name, project_uid FROM secret_versions WHERE secret_uid = $1 AND project_uid = $2 ORDER BY version',
    [secretUid, project.uid],
  )
  const name = versions.at(-1)?.name
  if (name === undefined) {
    const message = `project "${ref.name}" holds no value of a secret ${secretUid}`
    throw new StagelyError('NotFound', message)
  }
  // Erasing does not wait for finalizers.
  if (living !== undefined) await finishRemoval(session, living)
  await rewriteRevisions(session, project, secretUid)
  await takeDeleted(session, project, secretUid)
  await session.tx.query('DELETE FROM secret_versions WHERE secret_uid = $1', [secretUid])
  await purgeStaged(session, project.ref, name)
  const detail = { uid: secretUid, project: ref.name, versions: versions.length }
  const secret = { kind: 'StagelySecret', namespace: project.ref.namespace, name }
  session.audit(secret, { action: 'purge', detail })
  return { name, versions: versions.length }
}
