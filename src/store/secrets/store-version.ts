// Begins and ends versions of secrets, in the open revision.
import { seal, valueAad } from '../../secrets/aead.ts'
import { isForController } from '../../secrets/place.ts'
import { type EndedIn, type ProjectEntry } from '../../secrets/set-entry.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { environmentsNow } from '../places/version-places.ts'
import { changeHead } from './projects.ts'

/** Where the version counts that ends now. The name of its stagelet may be another one's later, in another environment. */
const endedIn = (
  { view }: WriteSession,
  { ref }: ProjectState,
  entry: ProjectEntry | undefined,
): EndedIn | undefined =>
  entry?.stagelet === undefined || isForController(entry)
    ? undefined
    : environmentsNow(view, ref, entry.stagelet)

/** Takes the current version of a secret, if there is one, or puts a new one in its place. */
const replaceHead = (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
  entry?: ProjectEntry,
): void => {
  const place = endedIn(session, project, session.head(secretUid))
  changeHead(session, project, secretUid, entry)
  if (entry?.version === 1) return
  const toRevision = project.closed + 1
  session.changes.end(project.uid, secretUid, { toRevision, by: session.actor.name, place })
}

/** Seals the version into the open revision. */
export const storeVersion = (
  session: WriteSession,
  project: ProjectState,
  { entry, value }: { entry: ProjectEntry; value: Buffer },
): void => {
  replaceHead(session, project, entry.secretId, entry)
  const { dataKey, uid: projectUid } = project
  const { secretId, key, scope, type, version, plain } = entry
  const aad = valueAad({ projectUid, secretId, key, scope, type, version, plain })
  session.changes.begin({
    projectUid,
    entry,
    fromRevision: project.closed + 1,
    sealed: seal(dataKey, value, aad),
    dataKey: project.row.dataKey,
    at: session.nowMs,
    by: session.actor.name,
  })
}

/** Takes a deleted secret out of the head set. Returns its last version; undefined where it never had a value. */
export const endSecret = (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): ProjectEntry | undefined => {
  const entry = session.head(secretUid)
  if (entry === undefined) return undefined
  replaceHead(session, project, secretUid)
  session.secretChanges.push({ project, entry, why: 'other' })
  return entry
}
