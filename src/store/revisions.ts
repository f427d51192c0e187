// Change sets: when the open revision of a project closes, and what closing does. A write that completes its change set
// closes it in the same commit; all others are closed when they are due.
import { toFineTimestamp } from '../kernel/clock.ts'
import { isEmptyLayout } from '../secrets/layout.ts'
import { withStatusOwner } from '../managed-fields/status.ts'
import {
  loadProject,
  noteArrival,
  projectPlaceKey,
  saveProject,
  saveProjects,
} from './secrets/projects.ts'
import type { ProjectState } from './core/project-state.ts'
import { closesAt, forOthers, isDue } from './secrets/open-revision.ts'
import type { WriteSession } from './core/write-session.ts'
import { term, type ProjectRow } from './state/rows.ts'
import type { Fence, StoreParts } from './store-parts.ts'
import { controllerActor, ownPrefix } from './core/actor.ts'

/** A change set that announces more writes is held open: a request of 3 MiB takes this long on a slow line. */
const holdMs = 20_000
/** Others who write meanwhile wait no longer than this: then the change sets that hold them up are cut in two. */
const longestForOthersMs = 5_000

/** The head set becomes the set of the next revision. The Project gets the number of the revision, which wakes its watchers. */
const close = (session: WriteSession, project: ProjectState): void => {
  // The MAC of the head set is the revision's too: it is made, or checked, before the number changes.
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
    secrets: (project.lines?.size ?? 0) - (isEmptyLayout(project.layout) ? 0 : 1),
  }
  const object = withStatusOwner({ ...row.object, status }, row.object, session.now)
  session.put(object, row.source, row)
}

const longestNote = 4_000

/** Each write of the revision may say why it is made; equal notes are kept once. */
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
  const own = ownPrefix(session.actor)
  if (Object.keys(project.changeSets).some((id) => id !== forOthers && !id.startsWith(own)))
    project.changeSets[forOthers] ??= session.nowMs + longestForOthersMs
}

/** Adds the projects that earlier writes of the change set have changed. */
const loadHeld = async (session: WriteSession, id: string): Promise<void> => {
  for (const row of session.view.projects.withTerm(term.open)) {
    if (row.changeSets[id] === undefined) continue
    const project = await loadProject(session, row)
    if (project !== undefined) session.projects.set(projectPlaceKey(row), project)
  }
}

/** The last step of a write: notes the write on each project whose secrets it changes. Closes the revision where the change set is complete. */
export const finishProjects = async (session: WriteSession): Promise<void> => {
  const { changeSet } = session
  for (const project of session.projects.values()) noteWrite(session, project)
  if (changeSet?.last === true) await loadHeld(session, changeSet.id)
  // A complete change set: no more writes of its projects are expected.
  if (changeSet?.last === true && changeSet.isSoFar !== true)
    for (const project of session.loaded.values())
      if (project.changed) project.quietAt = session.nowMs
  for (const project of session.projects.values()) {
    if (changeSet?.last !== true) continue
    const others = Object.entries(project.changeSets).filter(([id]) => id !== changeSet.id)
    project.changeSets = Object.fromEntries(others)
    project.changed = true
    // Another change set that is still being written must not be cut in two.
    const held = others.some(([id, until]) => id !== forOthers && until > session.nowMs)
    if (!held) close(session, project)
  }
  saveProjects(session)
}

/** Looks again whether the revision is due: it may have been written to since. */
const closeDue = async (session: WriteSession, place: ProjectRow, now: number): Promise<void> => {
  const project = await loadProject(session, place)
  if (project !== undefined && isDue(project.row, now)) close(session, project)
}

const earliest = (open: readonly ProjectRow[]): number | undefined =>
  open.length === 0 ? undefined : Math.min(...open.map((row) => closesAt(row) ?? Infinity))

/** `project` is NAMESPACE/NAME. */
export type OnCloseFault = (project: string, error: unknown) => void

/** See Store.closeDueRevisions. */
export const closeDueRevisions = async (
  { feed, writer }: StoreParts,
  fence: Fence,
  { now, onFault }: { now: number; onFault: OnCloseFault | undefined },
): Promise<number | undefined> => {
  const openNow = (): ProjectRow[] => feed.state.projects.withTerm(term.open)
  const due = openNow().filter((row) => isDue(row, now))
  if (due.length === 0) return earliest(openNow())
  const faults: unknown[] = []
  // Each is a write of its own: a project whose key does not answer keeps no other from closing.
  const closing = due.map((project) =>
    writer
      .run(controllerActor, fence, (session) => closeDue(session, project, now))
      .catch((error: unknown) => {
        if (onFault === undefined) faults.push(error)
        else onFault(`${project.namespace}/${project.name}`, error)
      }),
  )
  await Promise.all(closing)
  if (faults.length > 0) throw faults[0]
  return earliest(openNow().filter((row) => !isDue(row, now)))
}
