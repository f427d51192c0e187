// Change sets: when the open revision of a project closes, and what closing does.
import { toFineTimestamp } from '../kernel/clock.ts'
import { withStatusOwner } from '../managed-fields/status.ts'
import {
  loadProject,
  noteArrival,
  placeOf,
  saveProject,
  saveProjects,
  type ProjectState,
} from './projects.ts'
import type { WriteSession } from './session.ts'
import { term, type ProjectRow } from './state/rows.ts'

/** After its last write a change set is open for so long. */
export const quietMs = 300
const longestMs = 2_000
/** A request of 3 MiB takes so long on a slow line. */
const holdMs = 20_000
const longestHoldMs = 60_000

type OpenRevision = Pick<ProjectRow, 'openedAt' | 'lastWriteAt' | 'changeSets'>

/** When the open revision must close (ms); undefined when nothing is pending. */
export const dueAt = ({ openedAt, lastWriteAt, changeSets }: OpenRevision): number | undefined => {
  if (openedAt === undefined) return undefined
  const holds = Object.values(changeSets)
  if (holds.length > 0) return Math.min(Math.max(...holds), openedAt + longestHoldMs)
  return Math.min((lastWriteAt ?? openedAt) + quietMs, openedAt + longestMs)
}

/** The head becomes the set of the next revision; the Project says so, which wakes who watches. */
const close = (session: WriteSession, project: ProjectState): void => {
  // First the MAC of the head, checked or made in this write: it is the revision's own.
  saveProject(session, project)
  project.closed += 1
  session.changes.revisions.push({
    projectUid: project.uid,
    revision: project.closed,
    closedAt: session.nowMs,
    mac: project.row.headMac(),
    note: project.note,
  })
  project.openedAt = undefined
  project.lastWriteAt = undefined
  project.changeSets = {}
  project.note = undefined
  saveProject(session, project)
  const row = session.fetch(project.ref)
  if (row === undefined) return
  const status = {
    ...row.object.status,
    revision: project.closed,
    revisionClosedAt: toFineTimestamp(session.nowMs),
    secrets: project.lines?.size ?? 0,
  }
  const object = withStatusOwner({ ...row.object, status }, row.object, session.now)
  session.put(object, row.source, row)
}

const longestNote = 4_000

/** Several writes of one revision may each say why; the same is said once. */
const joinNotes = (before: string | undefined, note: string | undefined): string | undefined => {
  if (note === undefined || before === undefined) return before ?? note
  return before.split('\n').includes(note) ? before : `${before}\n${note}`.slice(0, longestNote)
}

const noteWrite = (session: WriteSession, project: ProjectState): void => {
  noteArrival(session, project)
  project.openedAt ??= session.nowMs
  project.lastWriteAt = session.nowMs
  project.note = joinNotes(project.note, session.note)
  const { changeSet } = session
  if (changeSet !== undefined && !changeSet.last) {
    project.changeSets[changeSet.id] = session.nowMs + holdMs
  }
}

/** Projects that the change set holds open, besides those of this write. */
const loadHeld = async (session: WriteSession, id: string): Promise<void> => {
  for (const row of session.view.projects.withTerm(term.open)) {
    if (row.changeSets[id] === undefined) continue
    const project = await loadProject(session, row)
    if (project !== undefined) session.projects.set(placeOf(row), project)
  }
}

/**
 * Ends a write: notes it on each project that it touched, and closes those whose change set is
 * complete.
 */
export const finishProjects = async (session: WriteSession): Promise<void> => {
  const { changeSet } = session
  for (const project of session.projects.values()) noteWrite(session, project)
  if (changeSet?.last === true) await loadHeld(session, changeSet.id)
  // Who says that a set is complete expects nothing more of what it has touched.
  if (changeSet?.last === true && changeSet.isSoFar !== true)
    for (const project of session.loaded.values())
      if (project.changed) project.quietAt = session.nowMs
  for (const project of session.projects.values()) {
    if (changeSet?.last !== true) continue
    const others = Object.entries(project.changeSets).filter(([id]) => id !== changeSet.id)
    project.changeSets = Object.fromEntries(others)
    project.changed = true
    // Another set that is still being written must not be cut in two.
    const held = others.some(([, until]) => until > session.nowMs)
    if (!held) close(session, project)
  }
  saveProjects(session)
}

/** Closes the project's revision if it is due at `now`: judged again, now that no other writer can come between. */
export const closeDue = async (
  session: WriteSession,
  { namespace, name }: Pick<ProjectRow, 'namespace' | 'name'>,
  now: number,
): Promise<void> => {
  const project = await loadProject(session, { namespace, name })
  if (project === undefined || (dueAt(project.row) ?? Infinity) > now) return
  close(session, project)
}
