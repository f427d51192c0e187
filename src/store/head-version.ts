// The version of a value that a secret has now: a new one is sealed into the open revision, or the last one ends.
import { seal, valueAad } from '../secrets/aead.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { changeHead, type ProjectState } from './projects.ts'
import type { WriteSession } from './session.ts'

/** Seals the new version into the open revision. */
export const storeVersion = (
  session: WriteSession,
  project: ProjectState,
  { entry, value }: { entry: SetEntry; value: Buffer },
): void => {
  changeHead(session, project, entry.secretId, entry)
  const { dataKey, uid: projectUid } = project
  const { secretId, key, scope, type, version } = entry
  const aad = valueAad({ projectUid, secretId, key, scope, type, version })
  if (version > 1) endVersion(session, project, secretId)
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

/** Ends the head version at the open revision. */
const endVersion = (session: WriteSession, project: ProjectState, secretUid: string): void => {
  const ended = { toRevision: project.closed + 1, by: session.actor.name }
  session.changes.end(project.uid, secretUid, ended)
}

/** Takes a deleted secret out of the head set; returns what it was, if it ever had a value. */
export const endSecret = (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): SetEntry | undefined => {
  const entry = session.head(secretUid)
  if (entry === undefined) return undefined
  changeHead(session, project, secretUid, undefined)
  endVersion(session, project, secretUid)
  session.secretChanges.push({ project, entry, why: 'other' })
  return entry
}
