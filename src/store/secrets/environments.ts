// Environments in writes: which names may be used, and the layout that follows from stagelets and projects. See ADR 0080.
import { withHint } from '../../search/near-name.ts'
import type { Fault } from '../../kernel/errors.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { refOf, type KubeObject, type Place } from '../../resources/meta.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { specOf } from '../../resources/typed.ts'
import { emptyLayout, environmentOf, isEmptyLayout, type Layout } from '../../secrets/layout.ts'
import { objectConflict, invalidObject } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { changeLayout, loadProject } from './projects.ts'
import { resetInSync, stageletsOf } from './reset-in-sync.ts'

const namesOf = (project: KubeObject): string[] =>
  (specOf('Project', project)?.environments ?? []).map(({ name }) => name)

/** The environments that the Project lists; undefined while it is missing: objects may come in any order. */
const listedIn = (session: WriteSession, place: Place): string[] | undefined => {
  const row = session.fetch({ kind: 'Project', namespace: place.namespace, name: place.name })
  return row && namesOf(row.object)
}

/** The name is not repeated: somebody may have put a value there. */
const unlisted = (field: string, name: string, project: string, listed: string[]): Fault => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${
    listed.length === 0
      ? `project "${project}" has no environments: list them in its spec.environments`
      : `environments of project "${project}": ${withHint(name, listed)}`
  }`,
})

/** Invalid where a stagelet or a secret names an environment that its Project does not list. */
export const checkEnvironments = (session: WriteSession, object: KubeObject): void => {
  const named =
    object.kind === 'Stagelet'
      ? [{ field: 'spec.environment', name: specOf('Stagelet', object).environment }]
      : (specOf('StagelySecret', object).environments ?? []).map((name, at) => ({
          field: `spec.environments[${at}]`,
          name,
        }))
  const place = projectRefOf(object)
  const listed = named.some(({ name }) => name !== undefined) ? listedIn(session, place) : undefined
  if (listed === undefined) return
  const faults = named.flatMap(({ field, name }) =>
    name === undefined || listed.includes(name) ? [] : [unlisted(field, name, place.name, listed)],
  )
  if (faults.length > 0) throw invalidObject(refOf(object), faults)
}

const mostNamed = 10

/** Conflict where the Project does not list an environment that a stagelet or a secret names. */
export const checkListed = (
  session: WriteSession,
  project: KubeObject,
  before: KubeObject | undefined,
): void => {
  const listed = new Set(namesOf(project))
  if (before !== undefined && namesOf(before).every((name) => listed.has(name))) return
  const place = refOf(project)
  const stagelets = stageletsOf(session, place).map(({ object }) => ({
    user: `stagelet "${object.metadata.name}"`,
    names: [specOf('Stagelet', object).environment ?? []].flat(),
  }))
  const secrets = session.select(term.secretsInEnvironments(place)).map(({ object }) => ({
    user: `secret "${object.metadata.name}"`,
    names: specOf('StagelySecret', object).environments ?? [],
  }))
  const missing = [...stagelets, ...secrets].flatMap(({ user, names }) =>
    names.filter((name) => !listed.has(name)).map((name) => ({ user, name })),
  )
  if (missing.length === 0) return
  const shown = missing.slice(0, mostNamed).map(({ user, name }) => `${user} names "${name}"`)
  const more = missing.length > mostNamed ? `, and ${missing.length - mostNamed} more` : ''
  throw objectConflict(
    place,
    `spec.environments does not list what is used: ${shown.join(', ')}${more}; list it, or change these first`,
  )
}

const isolatedIn = (project: KubeObject): string[] =>
  (specOf('Project', project)?.environments ?? [])
    .filter(({ inherits }) => inherits === 'Nothing')
    .map(({ name }) => name)
    .sort()

/** The layout with a stagelet in its environment; undefined: in none. */
const withStagelet = (layout: Layout, name: string, environment: string | undefined): Layout => {
  if (environmentOf(layout, name) === environment) return layout
  const { [name]: _, ...others } = layout.stagelets
  const stagelets = environment === undefined ? others : { ...others, [name]: environment }
  return { ...layout, stagelets }
}

/** The layout as the Project says it, with all of its stagelets: some may have come before it. */
const ofProject = (session: WriteSession, layout: Layout, project: KubeObject): Layout => {
  const next = stageletsOf(session, refOf(project)).reduce(
    (all, { object }) =>
      withStagelet(all, object.metadata.name, specOf('Stagelet', object).environment),
    layout,
  )
  const isolated = isolatedIn(project)
  return sameJson(isolated, next.isolated) ? next : { ...next, isolated }
}

/** The names of stagelets that see other secrets now. */
const movedBetween = (before: Layout, after: Layout): Set<string> => {
  const names = new Set([...Object.keys(before.stagelets), ...Object.keys(after.stagelets)])
  const seesOf = (layout: Layout, name: string): string => {
    const environment = environmentOf(layout, name)
    return `${environment ?? ''} ${environment !== undefined && layout.isolated.includes(environment)}`
  }
  return new Set([...names].filter((name) => seesOf(before, name) !== seesOf(after, name)))
}

/** Sets the layout of a project. Stagelets that see other secrets by it are no longer in sync. */
const move = async (
  session: WriteSession,
  place: Place,
  next: (before: Layout) => Layout,
): Promise<void> => {
  const project = await loadProject(session, place)
  if (project === undefined) return
  const before = project.layout
  const after = next(before)
  if (after === before) return
  const names = movedBetween(before, after)
  const layout = isEmptyLayout(after) ? emptyLayout : after
  changeLayout(session, project, { layout, moved: names })
  session.layoutChanges.push({ project, stagelets: names })
  const stagelets = stageletsOf(session, place).filter(({ object }) =>
    names.has(object.metadata.name),
  )
  await resetInSync(session, project, { stagelets, entries: 'all' })
}

/**
 * The layout after a change of a Project or a stagelet. `after` is undefined for a removed one. A removed Project leaves the
 * layout as it is: until another one comes, nothing is delivered.
 */
export const layOut = async (
  session: WriteSession,
  { before, after }: { before: KubeObject | undefined; after: KubeObject | undefined },
): Promise<void> => {
  if (after?.kind === 'Project')
    await move(session, refOf(after), (layout) => ofProject(session, layout, after))
  const stagelet = after ?? before
  if (stagelet?.kind !== 'Stagelet') return
  const { name } = stagelet.metadata
  if (
    before !== undefined &&
    (after === undefined || !sameJson(projectRefOf(before), projectRefOf(after)))
  )
    await move(session, projectRefOf(before), (layout) => withStagelet(layout, name, undefined))
  if (after !== undefined) {
    const { environment } = specOf('Stagelet', after)
    await move(session, projectRefOf(after), (layout) => withStagelet(layout, name, environment))
  }
}
