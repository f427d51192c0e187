// What a Project object does not show: its keys, its open revision and the MAC of its head set. A row
// begins with the Project or with the first secret that names it, and ends when neither is left (ADR 0044).
import { randomUUID } from 'node:crypto'
import { lazy } from '../kernel/lazy.ts'
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { createProjectKeys, type NewProjectKeys } from '../secrets/project-keys.ts'
import type { KeyBytes, SealKey } from '../secrets/aead.ts'
import { SetLines } from '../secrets/set-lines.ts'
import type { SetEntry } from '../secrets/visible.ts'
import type { WriteSession } from './session.ts'
import { keyProviderOf, wantedRing } from './keys/project-ring.ts'
import { checkedLines, lineOf } from './set-rows.ts'
import { term, type ProjectRow } from './state/rows.ts'
import type { View } from './state/state.ts'

type Place = Pick<ObjectRef, 'namespace' | 'name'>

/** Key of a project among those of a write. */
export const placeOf = ({ namespace, name }: Place): string => `${namespace}/${name}`

/** A project within a write, with what the write changes of it. */
export interface ProjectState {
  readonly uid: string
  readonly ref: ObjectRef
  readonly digestKey: KeyBytes
  /** Seals new versions. */
  dataKey: SealKey
  /** What is stored, but for what follows. */
  row: ProjectRow
  /** Newest closed revision; new versions get this + 1. */
  closed: number
  openedAt: number | undefined
  lastWriteAt: number | undefined
  /** Change sets that hold the revision open, with the time (ms) that each one does. */
  changeSets: Record<string, number>
  /** Why the open revision is made. */
  note: string | undefined
  /** MAC lines of the head set; loaded when first needed. */
  lines: SetLines | undefined
  /** From then on (ms) nothing new is expected to arrive that belongs together with what came last. */
  quietAt: number
  /** The view lags behind. */
  changed: boolean
}

export const projectAt = (view: View, place: Place): ProjectRow | undefined =>
  view.projects.withTerm(term.place(place))[0]

export const loadProject = async (
  session: WriteSession,
  place: Place,
): Promise<ProjectState | undefined> => {
  const known = session.loaded.get(placeOf(place))
  if (known !== undefined) return known
  const row = projectAt(session.view, place)
  if (row === undefined) return undefined
  const state = await stateOf(session, row)
  session.loaded.set(placeOf(place), state)
  return state
}

const stateOf = async ({ deps }: WriteSession, row: ProjectRow): Promise<ProjectState> => {
  const { id: uid, namespace, name } = row
  const [digestKey, dataKey] = await Promise.all([
    deps.keys.digestKey(uid, row.digestKey),
    deps.keys.dataKey(uid, row.dataKey.id, row.dataKey.wrapped),
  ])
  return {
    uid,
    ref: { kind: 'Project', namespace, name },
    digestKey,
    dataKey,
    row,
    closed: row.closed,
    openedAt: row.openedAt,
    lastWriteAt: row.lastWriteAt,
    changeSets: { ...row.changeSets },
    note: row.note,
    lines: row.lines,
    quietAt: row.quietAt,
    changed: false,
  }
}

/** The keys of a project that is about to be made, and its uid, which they are wrapped for. */
interface MadeKeys {
  readonly uid: string
  readonly keys: NewProjectKeys
}

/** Wraps them while no other writer waits. ServiceUnavailable where their key does not answer. */
const makeProjectKeys = (session: WriteSession, object: KubeObject): Promise<MadeKeys> => {
  const ring = wantedRing(session, object)
  const { namespace, name } = refOf(object)
  const number = (session.newProjects += 1)
  return session.preparations.soon(
    `keys of new project ${number}, ${namespace}/${name} by ${keyProviderOf(object) ?? ''}`,
    async () => {
      await ring.confirm()
      const uid = randomUUID()
      return { uid, keys: await createProjectKeys(ring, uid) }
    },
  )
}

/** The keys live and die with the row. */
const insertProject = (
  session: WriteSession,
  object: KubeObject,
  { uid, keys }: MadeKeys,
): void => {
  const provider = wantedRing(session, object)
  const { namespace, name } = refOf(object)
  const { id, wrapped } = keys.dataKey
  session.view.projects.set(uid, {
    id: uid,
    namespace,
    name,
    digestKey: keys.wrappedDigestKey,
    keyProvider: keyProviderOf(object),
    dataKey: { id, wrapped },
    closed: 0,
    changeSets: {},
    headMac: lazy(() => SetLines.of([]).mac(keys.digestKey, 1)),
    quietAt: session.nowMs + arrivalMs,
  })
  const { name: providerName, keyId } = provider
  session.changes.keys.push({
    ...{ id, projectUid: uid, provider: providerName, providerKeyId: keyId, wrapped },
    at: session.nowMs,
  })
}

/**
 * The row that a new Project object, or the first secret that names it, works with. Where only secrets
 * have named it so far, the Project takes up what they began: its uid, which values are bound to, and its sets.
 */
export const ensureProject = async (
  session: WriteSession,
  object: KubeObject,
): Promise<ProjectState> => {
  const ref = refOf(object)
  const known = await loadProject(session, ref)
  if (known !== undefined) return known
  insertProject(session, object, await makeProjectKeys(session, object))
  const made = await loadProject(session, ref)
  if (made === undefined) throw new Error('the row of a new project is missing')
  return made
}

/** What belongs together comes within this time of each other. */
const arrivalMs = 2_000

/** Something of the project has arrived: more may follow. */
export const noteArrival = (session: WriteSession, project: ProjectState): void => {
  project.quietAt = session.nowMs + arrivalMs
  project.changed = true
}

/** Checked against the MAC, where this process has not made them itself: a row that somebody changed never gets a good one. */
const loadLines = (session: WriteSession, { uid, digestKey, row }: ProjectState): SetLines => {
  if (row.lines !== undefined) return row.lines
  return checkedLines(
    row,
    digestKey,
    session.headsOf(uid).map(({ entry }) => entry),
  )
}

/** The secret's current version from now on; undefined takes it out of the head set. */
export const changeHead = (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
  entry: SetEntry | undefined,
): void => {
  session.projects.set(placeOf(project.ref), project)
  project.lines ??= loadLines(session, project)
  project.changed = true
  project.lines = project.lines.with(secretUid, entry === undefined ? undefined : lineOf(entry))
  const { uid: projectUid } = project
  session.view.heads.set(secretUid, entry && { id: secretUid, projectUid, entry })
}

/** Brings the view up to date, with the MAC of the head as it is now. */
export const saveProject = (session: WriteSession, project: ProjectState): void => {
  project.lines ??= loadLines(session, project)
  const { closed, openedAt, lastWriteAt, changeSets, lines, quietAt, digestKey, uid, note } =
    project
  project.row = {
    ...project.row,
    ...{ closed, openedAt, lastWriteAt, changeSets, note, lines, quietAt },
    headMac: lazy(() => lines.mac(digestKey, closed + 1)),
  }
  session.view.projects.set(uid, project.row)
  project.changed = false
}

/** Brings the view up to date with all projects. */
export const saveProjects = (session: WriteSession): void => {
  for (const project of session.loaded.values()) if (project.changed) saveProject(session, project)
}

/** Forgets a project with its keys and values: what was sealed under them can never be opened again. */
export const destroyProject = (session: WriteSession, row: ProjectRow): void => {
  session.loaded.delete(placeOf(row))
  session.projects.delete(placeOf(row))
  for (const { id } of session.headsOf(row.id)) session.view.heads.set(id, undefined)
  for (const { id } of session.view.buried.withTerm(term.headsOf(row.id)))
    session.view.buried.set(id, undefined)
  session.view.projects.set(row.id, undefined)
}
