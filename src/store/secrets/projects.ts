// The row of a project, beside its object: its keys, its open revision and the MAC of its head set. The row begins with the
// Project or with the first secret that names it, and ends when neither is left (ADR 0044).
import { randomUUID } from 'node:crypto'
import { lazy } from '../../kernel/lazy.ts'
import { refOf, type KubeObject, type ObjectRef, type Place } from '../../resources/meta.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import { createProjectKeys, type NewProjectKeys } from '../../secrets/project-keys.ts'
import {
  emptyLayout,
  isEmptyLayout,
  layoutLine,
  layoutLineId,
  type Layout,
} from '../../secrets/layout.ts'
import { SetLines } from '../../secrets/set-lines.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { objectNotFound } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { keyProviderOf, wantedRing } from './project-ring.ts'
import { checkedLines, lineOf } from './set-rows.ts'
import type { ProjectState } from '../core/project-state.ts'
import { term, type ProjectRow } from '../state/rows.ts'
import type { View } from '../state/state.ts'

/** Key of a project among those of a write. */
export const projectPlaceKey = ({ namespace, name }: Place): string => `${namespace}/${name}`

export const projectAt = (view: View, place: Place): ProjectRow | undefined =>
  view.projects.withTerm(term.place(place))[0]

/** The newest set of a project. */
export const setIn = (view: View, { uid, ref }: ProjectState): LaidOut => ({
  entries: view.heads.withTerm(term.headsOf(uid)).map(({ entry }) => entry),
  layout: projectAt(view, ref)?.layout,
})

export const loadProject = async (
  session: WriteSession,
  place: Place,
): Promise<ProjectState | undefined> => {
  const loaded = session.loaded.get(projectPlaceKey(place))
  if (loaded !== undefined) return loaded
  const row = projectAt(session.view, place)
  if (row === undefined) return undefined
  const state = await stateOf(session, row)
  session.loaded.set(projectPlaceKey(place), state)
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
    layout: row.layout ?? emptyLayout,
    layoutDraft: undefined,
    movedStagelets: new Set(),
    lines: row.lines,
    quietAt: row.quietAt,
    changed: false,
  }
}

/** The layout of a project, with the changes of this write. */
export const layoutIn = (session: WriteSession, place: Place): Layout =>
  session.loaded.get(projectPlaceKey(place))?.layout ??
  projectAt(session.view, place)?.layout ??
  emptyLayout

/** A declared project, with its keys. NotFound. */
export const requireProjectState = async (
  session: WriteSession,
  ref: ObjectRef,
): Promise<ProjectState> => {
  const owner = session.fetch(ref)
  const project = owner === undefined ? undefined : await loadProject(session, ref)
  if (project === undefined) throw objectNotFound(ref)
  return project
}

/** The keys of a project that is about to be made, and its uid, which they are wrapped for. */
interface MadeKeys {
  readonly uid: string
  readonly keys: NewProjectKeys
}

/** The keys are wrapped outside of the write. ServiceUnavailable where the key service does not answer. */
const makeProjectKeys = (session: WriteSession, object: KubeObject): Promise<MadeKeys> => {
  const ring = wantedRing(session, object)
  const { namespace, name } = refOf(object)
  const number = (session.newProjects += 1)
  return session.deferred.answer(
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
    headMac: lazy(() => SetLines.from([]).mac(keys.digestKey, 1)),
    quietAt: session.nowMs + arrivalMs,
  })
  const { name: providerName, keyId } = provider
  session.changes.keys.push({
    id,
    projectUid: uid,
    provider: providerName,
    providerKeyId: keyId,
    wrapped,
    at: session.nowMs,
  })
}

/**
 * The row for a new Project or for a secret that names one. Where secrets have named the project before, the Project takes
 * over their row: its uid, which values are bound to, and its sets.
 */
export const ensureProject = async (
  session: WriteSession,
  object: KubeObject,
): Promise<ProjectState> => {
  const ref = refOf(object)
  const project = await loadProject(session, ref)
  if (project !== undefined) return project
  insertProject(session, object, await makeProjectKeys(session, object))
  const made = await loadProject(session, ref)
  if (made === undefined) throw new Error('the row of a new project is missing')
  return made
}

/** The project that a secret names. It need not be declared yet: then its row begins with the secret. */
export const ensureProjectOf = (
  session: WriteSession,
  object: KubeObject,
): Promise<ProjectState> => {
  const { kind, namespace, name } = projectRefOf(object)
  const { apiVersion } = object
  return ensureProject(session, { apiVersion, kind, metadata: { namespace, name }, spec: {} })
}

/** Objects that belong together come within this time (ms) of each other. */
const arrivalMs = 2_000

/** The write belongs to the project, and more such writes may follow. */
export const noteArrival = (session: WriteSession, project: ProjectState): void => {
  project.quietAt = session.nowMs + arrivalMs
  project.changed = true
}

/** The lines of the head set. They are checked against the stored MAC: rows that were changed by SQL must not get a good MAC. */
const loadLines = (
  session: WriteSession,
  { uid, digestKey, row, lines }: ProjectState,
): SetLines => {
  const made = lines ?? row.lines
  if (made !== undefined) return made
  return checkedLines(
    row,
    digestKey,
    session.headsOf(uid).map(({ entry }) => entry),
  )
}

/** Sets the current version of the secret; undefined takes the secret out of the head set. */
export const changeHead = (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
  entry: ProjectEntry | undefined,
): void => {
  session.projects.set(projectPlaceKey(project.ref), project)
  project.changed = true
  project.lines = loadLines(session, project).with(
    secretUid,
    entry === undefined ? undefined : lineOf(entry),
  )
  const { uid: projectUid } = project
  session.view.heads.set(secretUid, entry && { id: secretUid, projectUid, entry })
}

/** Who is in which environment, from the open revision on. */
interface LayoutMoves {
  /** By stagelet, its environment now; undefined: none. */
  readonly stagelets: ReadonlyMap<string, string | undefined>
  /** Absent: as before. */
  readonly isolated?: readonly string[] | undefined
  /** Names of the stagelets that see other secrets by it. */
  readonly moved: Iterable<string>
}

/** Changes the layout. A write copies it once; saveProject() stores it. */
export const changeLayout = (
  session: WriteSession,
  project: ProjectState,
  { stagelets, isolated = project.layout.isolated, moved }: LayoutMoves,
): void => {
  session.projects.set(projectPlaceKey(project.ref), project)
  project.changed = true
  const draft = (project.layoutDraft ??= new Map(project.layout.stagelets))
  for (const [name, environment] of stagelets)
    if (environment === undefined) draft.delete(name)
    else draft.set(name, environment)
  for (const name of moved) project.movedStagelets.add(name)
  project.layout = { stagelets: draft, isolated }
}

/** The changed layout: its line of the set MAC, and its row. */
const saveLayout = (session: WriteSession, project: ProjectState): void => {
  const { layoutDraft, layout, movedStagelets, uid, closed } = project
  if (layoutDraft === undefined) return
  project.lines = loadLines(session, project).with(layoutLineId, layoutLine(layout))
  session.changes.layOut({
    projectUid: uid,
    fromRevision: closed + 1,
    layout,
    moved: [...movedStagelets],
    by: [session.actor.name],
  })
  project.layoutDraft = undefined
  movedStagelets.clear()
}

/** Puts the changed row, with the MAC of its head set, into the view. */
export const saveProject = (session: WriteSession, project: ProjectState): void => {
  saveLayout(session, project)
  project.lines ??= loadLines(session, project)
  const { closed, openedAt, lastWriteAt, changeSets, lines, quietAt, digestKey, uid, note } =
    project
  const layout = isEmptyLayout(project.layout) ? project.row.layout && emptyLayout : project.layout
  project.row = {
    ...project.row,
    closed,
    openedAt,
    lastWriteAt,
    changeSets,
    note,
    lines,
    quietAt,
    ...(layout !== undefined && { layout }),
    headMac: lazy(() => lines.mac(digestKey, closed + 1)),
  }
  session.view.projects.set(uid, project.row)
  project.changed = false
}

/** Puts the rows of all changed projects into the view. */
export const saveProjects = (session: WriteSession): void => {
  for (const project of session.loaded.values()) if (project.changed) saveProject(session, project)
}

/** Removes a project with its keys: values that were sealed under them can never be opened again. */
export const destroyProject = (session: WriteSession, row: ProjectRow): void => {
  session.loaded.delete(projectPlaceKey(row))
  session.projects.delete(projectPlaceKey(row))
  for (const { id } of session.headsOf(row.id)) session.view.heads.set(id, undefined)
  for (const { id } of session.view.deletedSecrets.withTerm(term.headsOf(row.id)))
    session.view.deletedSecrets.set(id, undefined)
  session.view.projects.set(row.id, undefined)
}

/** Removes all projects of a namespace. */
export const destroyProjectsIn = (session: WriteSession, namespace: string): void => {
  for (const row of session.view.projects.withTerm(term.inNamespace(namespace)))
    destroyProject(session, row)
}

/** No Project has this name, no secret names it, and no deleted secret of it can be restored. */
const isUnused = ({ view }: WriteSession, row: ProjectRow): boolean =>
  view.objects.get(`Project/${row.namespace}/${row.name}`) === undefined &&
  view.objects.withTerm(term.secretsOf(row)).length === 0 &&
  view.deletedSecrets.withTerm(term.headsOf(row.id)).length === 0

export const dropIfUnused = (session: WriteSession, place: Place): void => {
  const row = projectAt(session.view, place)
  if (row !== undefined && isUnused(session, row)) destroyProject(session, row)
}
