// What the impact of a change is computed from: stagelets with their agents and projects, and the newest
// sets. Read once before a write and once after.
import { projectNameOf } from '../../src/resources/project-ref.ts'
import { append } from '../../src/kernel/append.ts'
import type { AgentSpec, AgentStatus } from '../../src/kinds/agent/schema.ts'
import { refOf, type KubeObject, type Place } from '../../src/resources/meta.ts'
import type { ProjectSpec, ProjectStatus } from '../../src/kinds/project/schema.ts'
import type { StageletSpec, StageletStatus } from '../../src/kinds/stagelet/schema.ts'
import type { LaidOut } from '../../src/secrets/environment-set.ts'
import type { Reader } from '../../src/store/store.ts'

type Stagelet = KubeObject<StageletSpec, StageletStatus>
/** A stagelet, and what may keep a new revision from it. */
export interface StageletFacts {
  readonly stagelet: Stagelet
  /** `namespace/name` of its project. */
  readonly project: string
  readonly agent: KubeObject<AgentSpec, AgentStatus> | undefined
  readonly rollout: ProjectSpec['rollout']
  readonly rolloutStatus: ProjectStatus['rollout']
  /** Newest closed revision of the project. */
  readonly closed: number
}

export interface Situation {
  readonly stagelets: readonly StageletFacts[]
  /** Newest set of each project, by `namespace/name`. */
  readonly sets: ReadonlyMap<string, LaidOut>
}

export const emptySet: LaidOut = { entries: [] }

const keyOfPlace = ({ namespace, name }: Place): string => `${namespace}/${name}`

/** The project that a secret or a stagelet names. */
const projectPlace = (object: KubeObject): Place | undefined => {
  const name = projectNameOf(object)
  return name === undefined ? undefined : { namespace: refOf(object).namespace, name }
}

/** Newest set of the project that a secret names. */
export const setOf = ({ sets }: Situation, object: KubeObject): LaidOut => {
  const place = projectPlace(object)
  return (place && sets.get(keyOfPlace(place))) ?? emptySet
}

const factsOf = async (
  reader: Reader,
  stagelets: readonly Stagelet[],
  projects: ReadonlyMap<string, KubeObject<ProjectSpec, ProjectStatus> | undefined>,
): Promise<StageletFacts[]> => {
  const agents = new Map<string, KubeObject<AgentSpec, AgentStatus> | undefined>()
  const facts: StageletFacts[] = []
  for (const stagelet of stagelets) {
    const { namespace } = refOf(stagelet)
    const ref = { kind: 'Agent', namespace, name: stagelet.spec?.agentRef.name ?? '' }
    const place = keyOfPlace(ref)
    if (!agents.has(place)) agents.set(place, await reader.get(ref))
    const project = keyOfPlace(projectPlace(stagelet) ?? { namespace, name: '' })
    const { spec, status } = projects.get(project) ?? {}
    facts.push({
      stagelet,
      project,
      agent: agents.get(place),
      rollout: spec?.rollout,
      rolloutStatus: status?.rollout,
      closed: status?.revision ?? 0,
    })
  }
  return facts
}

const readProjects = async (
  reader: Reader,
  places: readonly Place[],
  stagelets: readonly KubeObject[],
): Promise<Situation> => {
  const projects = new Map<string, KubeObject<ProjectSpec, ProjectStatus> | undefined>()
  const sets = new Map<string, LaidOut>()
  for (const place of places) {
    const key = keyOfPlace(place)
    if (projects.has(key)) continue
    const project = await reader.get({ kind: 'Project', ...place })
    projects.set(key, project)
    const uid = project?.metadata.uid
    sets.set(key, uid === undefined ? emptySet : await reader.readSet(uid, 'head'))
  }
  return { stagelets: await factsOf(reader, stagelets as readonly Stagelet[], projects), sets }
}

/** One project with its stagelets. */
export const readProject = async (reader: Reader, { namespace, name }: Place): Promise<Situation> =>
  readProjects(
    reader,
    [{ namespace, name }],
    (await reader.list('Stagelet', { namespace, project: name })).items,
  )

/** What an object decides of containers: a project with its stagelets, or one stagelet; nothing of other kinds. */
export const readReach = async (reader: Reader, object: KubeObject): Promise<Situation> => {
  if (object.kind === 'Project') return readProject(reader, refOf(object))
  const place = object.kind === 'Stagelet' ? projectPlace(object) : undefined
  return place === undefined
    ? { stagelets: [], sets: new Map() }
    : readProjects(reader, [place], [object])
}

/** One stagelet. */
export const readStagelet = async (
  reader: Reader,
  stagelet: KubeObject,
): Promise<StageletFacts> => {
  const { stagelets } = await readReach(reader, stagelet)
  return stagelets[0]!
}

/** All stagelets in the namespaces of the objects, and the projects that any of these names. */
export const readNamespaces = async (
  reader: Reader,
  objects: readonly KubeObject[],
): Promise<Situation> => {
  const namespaces = new Set(objects.map((object) => object.metadata.namespace ?? ''))
  const stagelets: KubeObject[] = []
  for (const namespace of namespaces) {
    if (namespace === '') continue
    append(stagelets, (await reader.list('Stagelet', { namespace })).items)
  }
  const places = [...objects, ...stagelets].flatMap((object) => projectPlace(object) ?? [])
  return readProjects(reader, places, stagelets)
}
