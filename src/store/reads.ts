// Reads of the state, as it is or as a write leaves it.
import { StagelyError } from '../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'

import type { ProjectKeys } from '../secrets/project-keys.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { projectAt, saveProjects } from './projects.ts'
import { dueAt } from './revisions.ts'
import type { WriteSession } from './session.ts'
import { checkedLines, readSet } from './set-rows.ts'
import { term, type ProjectRow, type StoredRow } from './state/rows.ts'
import type { State, View } from './state/state.ts'
import type {
  ListOptions,
  PageOptions,
  ProjectRevisions,
  SecretSet,
  Surroundings,
} from './store.ts'

/** The namespace that decides who may see an object: its own one, or the namespace itself. */
const homeOf = ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string =>
  namespace === '' ? name : namespace

export const isWithin = (object: KubeObject, { namespace, within }: ListOptions): boolean => {
  const ref = refOf(object)
  return (
    (namespace === undefined || ref.namespace === namespace) &&
    (within === undefined || within.includes(homeOf(ref)))
  )
}

/** In the order of lists. */
export const byPlace = (a: KubeObject, b: KubeObject): number => {
  const [one, other] = [refOf(a), refOf(b)]
  const isBefore =
    one.namespace === other.namespace ? one.name < other.name : one.namespace < other.namespace
  return isBefore ? -1 : 1
}

/** Secrets or stagelets that name the project, in order. */
const termsIn: Readonly<
  Record<string, (project: Pick<ObjectRef, 'namespace' | 'name'>) => string>
> = { Stagelet: term.stageletsOf, Rotation: term.rotationsOf }

export const rowsOfProject = (
  view: View,
  kind: string,
  project: Pick<ObjectRef, 'namespace' | 'name'>,
): StoredRow[] =>
  view.objects
    .withTerm(termsIn[kind]?.(project) ?? term.secretsOf(project))
    .sort((a, b) => (a.id < b.id ? -1 : 1))

/** In order. */
export const rowsOf = (state: State, kind: string, options: ListOptions): StoredRow[] => {
  const { namespace = '', project, fromStores } = options
  if (project !== undefined) return rowsOfProject(state, kind, { namespace, name: project })
  if (fromStores === true) return state.objects.withTerm(term.fromStores)
  return idsOf(state, kind, options).map((id) => state.objects.get(id)!)
}

/** Ids of a list, in order. */
export const idsOf = (
  { names }: State,
  kind: string,
  { namespace, within, after }: ListOptions & Pick<PageOptions, 'after'>,
): string[] => {
  const ids = names.list(kind, { namespace, after })
  return within === undefined ? ids : ids.filter((id) => isHomeIn(id, within))
}

const isHomeIn = (id: string, within: readonly string[]): boolean => {
  const [, namespace = '', name = ''] = id.split('/')
  return within.includes(homeOf({ namespace, name }))
}

const projectOfUid = (view: View, projectUid: string): ProjectRow => {
  const row = view.projects.get(projectUid)
  if (row === undefined) throw new StagelyError('NotFound', `project ${projectUid} not found`)
  return row
}

/** NotFound. */
export const revisionsIn = (view: View, epoch: number, projectUid: string): ProjectRevisions => {
  const row = projectOfUid(view, projectUid)
  return { epoch, closed: row.closed, closesAt: dueAt(row), quietAt: row.quietAt }
}

/** The members of a head, checked: each change of them is a change of the row, which has their MAC. */
const heads = new WeakMap<ProjectRow, readonly SetEntry[]>()

/** The newest set, open writes included. InternalError where it is not what its MAC is over. */
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
  return { projectUid, epoch, revision: row.closed + (row.openedAt === undefined ? 0 : 1), entries }
}

/** True where the newest set is that of the revision, and nothing else is known of it. */
export const isHead = (view: View, projectUid: string, revision: number | 'head'): boolean => {
  if (revision === 'head') return true
  const row = view.projects.get(projectUid)
  return row !== undefined && row.closed === revision && row.openedAt === undefined && revision > 0
}

/** See Reader.readSet: within a write, which gives way for a set that is not at hand. */
export const setAt = async (
  session: WriteSession,
  projectUid: string,
  revision: number | 'head',
): Promise<SecretSet> => {
  const { view, epoch, deps, preparations } = session
  // What this write has changed so far has its MAC only once it is saved.
  saveProjects(session)
  if (isHead(view, projectUid, revision)) {
    const set = await headIn(view, epoch, deps.keys, projectUid)
    return { ...set, revision: revision === 'head' ? set.revision : revision }
  }
  return preparations.take(`set ${projectUid} ${revision}`, () =>
    readSet(deps.sql, deps.keys, projectUid, revision),
  )
}

/** Of the project; 2 stands for more. */
const envSecretsOf = (view: View, project: ProjectRow): number => {
  let count = 0
  for (const { entry } of view.heads.each(term.headsOf(project.id))) {
    if (entry.type === 'env') count += 1
    if (count === 2) break
  }
  return count
}

/** See Store.surroundingsOf. */
export const surroundingsIn = (
  view: View,
  project: ObjectRef,
  mostStagelets: number,
): Surroundings => {
  const row = projectAt(view, project)
  const stagelets = view.objects.withTerm(term.stageletsOf(project)).map(({ object }) => object)
  return {
    stagelets: row === undefined ? [] : stagelets.sort(byPlace).slice(0, mostStagelets),
    envSecrets: row === undefined ? 0 : envSecretsOf(view, row),
    isDeclared: view.objects.get(`Project/${project.namespace}/${project.name}`) !== undefined,
  }
}
