// Environments in writes: which names may be used, and the layout that follows from stagelets and projects. See ADR 0080.
import { withHint } from '../../search/near-name.ts'
import type { Fault } from '../../kernel/errors.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef, type Place } from '../../resources/meta.ts'
import { environmentsOf, namesOf, protectedIn } from '../../secrets/project-environments.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { specOf } from '../../kinds/typed.ts'
import { environmentOf, isolatedIn } from '../../secrets/layout.ts'
import { objectConflict, invalidObject } from '../core/errors.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { isArrival } from '../places/places.ts'
import { stageletsOn } from '../places/protection.ts'
import { term } from '../state/rows.ts'
import { changeLayout, loadProject } from './projects.ts'
import { resetInSync, stageletsOf } from './reset-in-sync.ts'

/** The environments that the Project lists; undefined while it is missing: objects may come in any order. */
const listedIn = (session: WriteSession, project: ObjectRef): string[] | undefined => {
  const row = session.fetch(project)
  return row && namesOf(environmentsOf(row.object))
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
const checkUse = (session: WriteSession, object: KubeObject): void => {
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

const firstOf = (texts: readonly string[]): string =>
  texts.slice(0, mostNamed).join(', ') +
  (texts.length > mostNamed ? `, and ${texts.length - mostNamed} more` : '')

/** Conflict where the Project does not list an environment that a stagelet or a secret names. */
const checkListed = (
  session: WriteSession,
  project: KubeObject,
  before: KubeObject | undefined,
): void => {
  const listed = new Set(namesOf(environmentsOf(project)))
  if (before !== undefined && namesOf(environmentsOf(before)).every((name) => listed.has(name)))
    return
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
  const uses = missing.map(({ user, name }) => `${user} names "${name}"`)
  throw objectConflict(
    place,
    `spec.environments does not list what is used: ${firstOf(uses)}; list it, or change these first`,
  )
}

/** The field by which a stagelet ends without an owner; undefined where nothing but a person ends it. */
const endsBy = (session: WriteSession, stagelet: KubeObject): string | undefined => {
  const { ttl, agentRef } = specOf('Stagelet', stagelet)
  if (ttl !== undefined) return 'spec.ttl'
  const { namespace } = refOf(stagelet)
  const agent = session.fetch({ kind: 'Agent', namespace, name: agentRef.name })
  return agent && specOf('Agent', agent.object)?.ephemeral && 'spec.agentRef'
}

const remedies: Readonly<Record<string, string>> = {
  'spec.ttl': 'leave the ttl out',
  'spec.agentRef': 'name an agent that is not ephemeral',
}

/** Invalid where a stagelet of a protected environment would end by itself. */
const checkEnds = (session: WriteSession, stagelet: KubeObject): void => {
  const { environment } = specOf('Stagelet', stagelet)
  const row = session.fetch(projectRefOf(stagelet))
  if (environment === undefined || row === undefined) return
  const field =
    protectedIn(environmentsOf(row.object)).includes(environment) && endsBy(session, stagelet)
  if (!field || stagelet.metadata.deletionTimestamp !== undefined) return
  const message = `Forbidden: the environment is protected, and this would end the stagelet without an owner: ${remedies[field]!}, or choose another environment`
  throw invalidObject(refOf(stagelet), [{ field, reason: 'FieldValueForbidden', message }])
}

/** Conflict where the Project protects an environment with stagelets that would end by themselves. */
const checkNewlyProtected = (
  session: WriteSession,
  project: KubeObject,
  before: KubeObject | undefined,
): void => {
  const were = protectedIn(environmentsOf(before))
  const fresh = protectedIn(environmentsOf(project)).filter((name) => !were.includes(name))
  if (fresh.length === 0) return
  const ending = stageletsOf(session, refOf(project)).flatMap(({ object }) => {
    const { environment = '' } = specOf('Stagelet', object)
    const isConcerned =
      fresh.includes(environment) && object.metadata.deletionTimestamp === undefined
    const field = isConcerned ? endsBy(session, object) : undefined
    return field === undefined ? [] : [`stagelet "${object.metadata.name}" (${field})`]
  })
  if (ending.length === 0) return
  throw objectConflict(
    refOf(project),
    `spec.environments protects an environment whose stagelets end without an owner: ${firstOf(ending)}; change these first`,
  )
}

/** Conflict where an agent is ephemeral that has stagelets of protected environments. */
const checkEphemeral = (session: WriteSession, agent: KubeObject): void => {
  if (specOf('Agent', agent)?.ephemeral === undefined) return
  const kept = stageletsOn(session.view, agent).filter((stagelet) => {
    const project = session.fetch(projectRefOf(stagelet))
    const { environment = '' } = specOf('Stagelet', stagelet)
    const isLeaving = stagelet.metadata.deletionTimestamp !== undefined
    return !isLeaving && protectedIn(environmentsOf(project?.object)).includes(environment)
  })
  if (kept.length === 0) return
  const names = kept.map(({ metadata: { name } }) => `stagelet "${name}"`)
  throw objectConflict(
    refOf(agent),
    `spec.ephemeral would end stagelets of protected environments without an owner: ${firstOf(names)}; move these to another agent first`,
  )
}

/** The names of environments in the object are judged at the end of the write: its order does not matter. */
export const noteEnvironments = (
  session: WriteSession,
  object: KubeObject,
  before?: KubeObject,
): void => {
  const ref = refOf(object)
  const id = keyOf(ref)
  const first = session.environmentUses.get(id)
  session.environmentUses.set(id, { ref, before: first === undefined ? before : first.before })
}

/** At the end of a write. */
export const checkEnvironments = (session: WriteSession): void => {
  const uses = [...session.environmentUses.values()].flatMap(({ ref, before }) => {
    const row = session.fetch(ref)
    return row === undefined ? [] : [{ object: row.object, before }]
  })
  for (const { object, before } of uses)
    if (object.kind === 'Project') {
      checkListed(session, object, before)
      checkNewlyProtected(session, object, before)
    }
  for (const { object } of uses)
    if (object.kind === 'Agent') checkEphemeral(session, object)
    else if (object.kind !== 'Project') checkUse(session, object)
  for (const { object } of uses) if (object.kind === 'Stagelet') checkEnds(session, object)
}

const symmetricDifference = (a: readonly string[], b: readonly string[]): string[] => [
  ...a.filter((name) => !b.includes(name)),
  ...b.filter((name) => !a.includes(name)),
]

/** The layout as the Project says it, with all of its stagelets: some may have come before it. */
const layOutProject = async (session: WriteSession, object: KubeObject): Promise<void> => {
  const ref = refOf(object)
  const project = await loadProject(session, ref)
  if (project === undefined) return
  const before = project.layout
  const isolated = isolatedIn(environmentsOf(object))
  const environments = symmetricDifference(before.isolated, isolated)
  const stagelets = new Map<string, string | undefined>()
  const rows: StoredRow[] = []
  for (const row of stageletsOf(session, ref)) {
    await session.pause()
    const { name } = row.object.metadata
    const { environment } = specOf('Stagelet', row.object)
    const isOther = environmentOf(before, name) !== environment
    if (isOther) stagelets.set(name, environment)
    if (isOther || environments.includes(environment ?? '')) rows.push(row)
  }
  if (stagelets.size === 0 && environments.length === 0) return
  const moved = new Set(rows.map((row) => row.object.metadata.name))
  changeLayout(session, project, { stagelets, isolated, moved })
  session.layoutChanges.push({ project, ref, stagelets: moved, environments })
  await resetInSync(session, project, { stagelets: rows, entries: 'all' })
}

interface StageletMove {
  readonly ref: ObjectRef
  readonly environment: string | undefined
  /** It was not in the project: references are judged for it. */
  readonly arrives?: boolean
}

const layOutStagelet = async (
  session: WriteSession,
  place: Place,
  { ref, environment, arrives = false }: StageletMove,
): Promise<void> => {
  const project = await loadProject(session, place)
  if (project === undefined) return
  const moved = new Set([ref.name])
  if (environmentOf(project.layout, ref.name) === environment) {
    if (arrives) session.layoutChanges.push({ project, ref, stagelets: moved, environments: [] })
    return
  }
  changeLayout(session, project, { stagelets: new Map([[ref.name, environment]]), moved })
  session.layoutChanges.push({ project, ref, stagelets: moved, environments: [] })
  const row = session.fetch(ref)
  await resetInSync(session, project, { stagelets: row === undefined ? [] : [row], entries: 'all' })
}

/**
 * The layout after a change of a Project or a stagelet. `after` is undefined for a removed one. A removed Project leaves the
 * layout as it is: until another one comes, nothing is delivered.
 */
export const layOut = async (
  session: WriteSession,
  { before, after }: { before: KubeObject | undefined; after: KubeObject | undefined },
): Promise<void> => {
  if (after?.kind === 'Project') await layOutProject(session, after)
  const stagelet = after ?? before
  if (stagelet?.kind !== 'Stagelet') return
  const ref = refOf(stagelet)
  const leaves =
    before !== undefined &&
    (after === undefined || !sameJson(projectRefOf(before), projectRefOf(after)))
  if (leaves) await layOutStagelet(session, projectRefOf(before), { ref, environment: undefined })
  if (after === undefined) return
  const { environment } = specOf('Stagelet', after)
  const arrives = isArrival({ before, after })
  await layOutStagelet(session, projectRefOf(after), { ref, environment, arrives })
}
