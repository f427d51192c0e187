// Reads of the state, or of the state with the changes of a write.
import { StagelyError } from '../../kernel/errors.ts'
import { keyOf, type ObjectRef, type Place } from '../../resources/meta.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { projectAt, saveProjects } from '../secrets/projects.ts'
import { closesAt } from '../secrets/open-revision.ts'
import type { WriteSession } from '../core/write-session.ts'
import { emptyLayout } from '../../secrets/layout.ts'
import { checkedLines, readSet } from '../secrets/set-rows.ts'
import { placeOfId } from '../state/sorted-names.ts'
import { term, type ProjectRow, type StoredRow } from '../state/rows.ts'
import type { StoreState, View } from '../state/state.ts'
import type { ListOptions, PageOptions } from '../core/objects.ts'
import type { ProjectRevisions, SecretSet, ProjectSummary } from '../core/sets.ts'

/** The namespace that decides about the right to see an object. A Namespace is in itself. */
const homeOf = ({ namespace, name }: Place): string => (namespace === '' ? name : namespace)

const termsIn: Readonly<Record<string, (project: Place) => string>> = {
  Stagelet: term.stageletsOf,
  Rotation: term.rotationsOf,
}

const membersOf = ({ objects }: View, project: Place): StoredRow[] =>
  [term.secretsOf, term.stageletsOf, term.rotationsOf].flatMap((termOf) =>
    objects.withTerm(termOf(project)),
  )

/** Events about the project and its members. Another namespace may have events that claim to be about them. */
const eventsOf = (view: View, project: Place): StoredRow[] => {
  const itself = view.objects.get(keyOf({ kind: 'Project', ...project }))
  const all = [...(itself === undefined ? [] : [itself]), ...membersOf(view, project)]
  return all.flatMap(({ uid }) => view.objects.withTerm(term.about(project.namespace, uid)))
}

/** Secrets, stagelets or rotations of the project, or events about them and the project, in order. */
export const rowsOfProject = (view: View, kind: string, project: Place): StoredRow[] => {
  const rows =
    kind === 'Event'
      ? eventsOf(view, project)
      : view.objects.withTerm(termsIn[kind]?.(project) ?? term.secretsOf(project))
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Rows of a kind within a write, in order. */
export const rowsOfKind = (
  view: View,
  kind: string,
  { namespace, within }: Pick<ListOptions, 'namespace' | 'within'>,
): StoredRow[] => {
  const start = namespace === undefined ? '' : `${kind}/${namespace}/`
  return view.objects
    .withTerm(term.kind(kind))
    .filter(({ id }) => id.startsWith(start) && (within === undefined || isHomeIn(id, within)))
    .map((row) => ({ row, place: placeOfId(row.id) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ row }) => row)
}

/** Rows of a list, in order. */
export const rowsOf = (state: StoreState, kind: string, options: ListOptions): StoredRow[] => {
  const { namespace = '', project, fromStores } = options
  if (project !== undefined) return rowsOfProject(state, kind, { namespace, name: project })
  if (fromStores === true) return state.objects.withTerm(term.fromStores)
  return idsOf(state, kind, options).map((id) => state.objects.get(id)!)
}

/** Ids of a list, in order. */
export const idsOf = (
  { names }: StoreState,
  kind: string,
  { namespace, within, after }: ListOptions & Pick<PageOptions, 'after'>,
): string[] => {
  const ids = names.list(kind, { namespace, after })
  return within === undefined ? ids : ids.filter((id) => isHomeIn(id, within))
}

const isHomeIn = (id: string, within: readonly string[]): boolean => {
  const start = id.indexOf('/') + 1
  const end = id.indexOf('/', start)
  return within.includes(homeOf({ namespace: id.slice(start, end), name: id.slice(end + 1) }))
}

const projectOfUid = (view: View, projectUid: string): ProjectRow => {
  const row = view.projects.get(projectUid)
  if (row === undefined) throw new StagelyError('NotFound', `project ${projectUid} not found`)
  return row
}

/** NotFound. */
export const revisionsIn = (view: View, epoch: number, projectUid: string): ProjectRevisions => {
  const row = projectOfUid(view, projectUid)
  return { epoch, closed: row.closed, closesAt: closesAt(row), quietAt: row.quietAt }
}

/** Checked head sets. A change of a set changes the project's row too, which has the MAC. */
const heads = new WeakMap<ProjectRow, readonly ProjectEntry[]>()

/** The newest set, open writes included. InternalError where it does not match its MAC. */
export const headIn = async (
  view: View,
  epoch: number,
  keys: ProjectKeys,
  projectUid: string,
): Promise<SecretSet> => {
  const row = projectOfUid(view, projectUid)
  let entries = heads.get(row)
  if (entries === undefined) {
    entries = view.heads.withTerm(term.headsOf(projectUid)).map(({ entry }) => entry)
    if (row.lines === undefined)
      checkedLines(row, await keys.digestKey(projectUid, row.digestKey), entries)
    heads.set(row, entries)
  }
  const revision = row.closed + (row.openedAt === undefined ? 0 : 1)
  return { projectUid, epoch, revision, entries, layout: row.layout ?? emptyLayout }
}

/** True where the head set is the set of the revision. */
export const isHead = (view: View, projectUid: string, revision: number | 'head'): boolean => {
  if (revision === 'head') return true
  const row = view.projects.get(projectUid)
  return row !== undefined && row.closed === revision && row.openedAt === undefined && revision > 0
}

/**
 * Reader.readSet() within a write. An old set is read outside of the write; what that fails with is thrown here, so that
 * the write may go on without the set.
 */
export const setAt = async (
  session: WriteSession,
  projectUid: string,
  revision: number | 'head',
): Promise<SecretSet> => {
  const { view, epoch, deps, deferred } = session
  // The MAC of the head set is up to date only after saveProjects().
  saveProjects(session)
  if (isHead(view, projectUid, revision)) {
    const set = await headIn(view, epoch, deps.keys, projectUid)
    return { ...set, revision: revision === 'head' ? set.revision : revision }
  }
  const [read] = deferred.result(`set ${projectUid} ${revision}`, () =>
    Promise.allSettled([readSet(deps.sql, deps.keys, projectUid, revision)]),
  )
  if (read.status === 'rejected') throw read.reason
  return read.value
}

/** Number of secrets of type env, 2 at most. */
const envSecretsOf = (view: View, project: ProjectRow): number => {
  let count = 0
  for (const { entry } of view.heads.each(term.headsOf(project.id))) {
    if (entry.type === 'env') count += 1
    if (count === 2) break
  }
  return count
}

/** See Store.projectSummary. */
export const projectSummaryIn = (
  view: View,
  project: ObjectRef,
  mostStagelets: number,
): ProjectSummary => {
  const row = projectAt(view, project)
  const stagelets = row === undefined ? [] : rowsOfProject(view, 'Stagelet', project)
  return {
    stagelets: stagelets.slice(0, mostStagelets).map(({ object }) => object),
    isolated: row?.layout?.isolated ?? [],
    envSecrets: row === undefined ? 0 : envSecretsOf(view, row),
    isDeclared: view.objects.get(`Project/${project.namespace}/${project.name}`) !== undefined,
    withKey: (key) =>
      view.objects.withTerm(term.secretsWithKey(project, key)).flatMap(({ uid }) => {
        const head = view.heads.get(uid)
        return head === undefined ? [] : [head.entry]
      }),
  }
}
