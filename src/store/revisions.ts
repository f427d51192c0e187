// Change sets: when the open revision of a project closes, and what closing does.
import { withStatusOwner } from '../managed-fields/status.ts'
import { loadProject, noteArrival, placeOf, saveProject, type ProjectState } from './projects.ts'
import type { WriteSession } from './session.ts'
import type { Queryable, Row } from './sql.ts'

/** After its last write a change set is open for so long. */
export const quietMs = 300
const longestMs = 2_000
const holdMs = 5_000
const longestHoldMs = 60_000

interface OpenRevision {
  readonly openedAt: number | undefined
  readonly lastWriteAt: number | undefined
  readonly changeSets: Readonly<Record<string, number>>
}

/** When the open revision must close (ms); undefined when nothing is pending. */
export const dueAt = ({ openedAt, lastWriteAt, changeSets }: OpenRevision): number | undefined => {
  if (openedAt === undefined) return undefined
  const holds = Object.values(changeSets)
  if (holds.length > 0) return Math.min(Math.max(...holds), openedAt + longestHoldMs)
  return Math.min((lastWriteAt ?? openedAt) + quietMs, openedAt + longestMs)
}

/** The head becomes the set of the next revision; the Project says so, which wakes who watches. */
const close = async (session: WriteSession, project: ProjectState): Promise<void> => {
  // First the MAC of the head, checked or made in this transaction: it is the revision's own.
  await saveProject(session, project)
  project.closed += 1
  await session.tx.query(
    'INSERT INTO revisions (project_uid, revision, closed_at, mac) VALUES ($1, $2, $3, $4)',
    [project.uid, project.closed, session.nowMs, project.headMac],
  )
  project.openedAt = undefined
  project.lastWriteAt = undefined
  project.changeSets = {}
  await saveProject(session, project)
  const row = await session.fetch(project.ref)
  if (row === undefined) return
  const status = {
    ...row.object.status,
    revision: project.closed,
    secrets: project.lines?.size ?? 0,
  }
  const object = withStatusOwner({ ...row.object, status }, row.object, session.now)
  await session.put(object, row.source, row)
}

const noteWrite = (session: WriteSession, project: ProjectState): void => {
  noteArrival(session, project)
  project.openedAt ??= session.nowMs
  project.lastWriteAt = session.nowMs
  const { changeSet } = session
  if (changeSet !== undefined && !changeSet.last) {
    project.changeSets[changeSet.id] = session.nowMs + holdMs
  }
}

/** Projects that the change set holds open, besides those of this write. */
const loadHeld = async (session: WriteSession, id: string): Promise<void> => {
  await session.pending.save(session)
  const rows = await session.tx.query<{ namespace: string; name: string }>(
    'SELECT namespace, name FROM projects WHERE opened_at IS NOT NULL AND change_sets::jsonb ? $1',
    [id],
  )
  for (const row of rows) {
    const project = await loadProject(session, row)
    if (project !== undefined) session.projects.set(placeOf(row), project)
  }
}

/**
 * Ends a write: notes it on each project that it touched, and closes those whose change set is
 * complete. The rows of the others are saved at the end of the transaction.
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
    if (!held) await close(session, project)
  }
}

interface OpenRow {
  namespace: string
  name: string
  opened_at: number
  last_write_at: number
  change_sets: string
}

export interface OpenProject {
  readonly namespace: string
  readonly name: string
  readonly dueAt: number
}

const openSql =
  'SELECT namespace, name, opened_at, last_write_at, change_sets FROM projects WHERE opened_at IS NOT NULL'

const openOf = (row: OpenRow): OpenProject => ({
  namespace: row.namespace,
  name: row.name,
  dueAt:
    dueAt({
      openedAt: row.opened_at,
      lastWriteAt: row.last_write_at,
      changeSets: JSON.parse(row.change_sets) as Record<string, number>,
    }) ?? Infinity,
})

/** Open revisions with the time that each one is due. */
export const listOpen = async (q: Queryable): Promise<OpenProject[]> =>
  (await q.query<OpenRow & Row>(openSql)).map(openOf)

/** Closes the project's revision if it is due at `now`: judged again, now that no other writer can come between. */
export const closeDue = async (
  session: WriteSession,
  { namespace, name }: OpenProject,
  now: number,
): Promise<void> => {
  await session.pending.save(session)
  const one = `${openSql} AND namespace = $1 AND name = $2`
  const [row] = await session.tx.query<OpenRow & Row>(one, [namespace, name])
  if (row === undefined || openOf(row).dueAt > now) return
  const project = await loadProject(session, row)
  if (project !== undefined) await close(session, project)
}
