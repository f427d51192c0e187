// Reads one project, its secrets and its stagelets.
import type { Typed } from '../../../src/kinds/typed.ts'
import type { ProjectRevisions, Reader, SecretSet } from '../../../src/store/store.ts'
import { readKeptSets } from '../kept-sets.ts'
import { inProject } from '../stagelet/of-project.ts'

export type ProjectObject = Typed<'Project'>
export type SecretObject = Typed<'StagelySecret'>
export type StageletObject = Typed<'Stagelet'>

/** The facts about a project that decide about its secrets. */
export interface ProjectFacts {
  readonly now: string
  readonly project: ProjectObject
  readonly revisions: ProjectRevisions
  readonly head: SecretSet
  readonly stagelets: readonly StageletObject[]
  /** By revision, the closed sets that services run, or ran when they were seen last. */
  readonly runningSets: ReadonlyMap<number, SecretSet>
}

export interface ProjectInput extends ProjectFacts {
  readonly secrets: readonly SecretObject[]
}

/** The secrets that name the project, whether the project exists or not. */
export const secretsOf = async (
  reader: Reader,
  { namespace, name: project }: { namespace: string; name: string },
): Promise<SecretObject[]> => (await reader.list('StagelySecret', { namespace, project })).items

/** Undefined when the project does not exist. */
export const gatherProject = async (
  reader: Reader,
  ref: { namespace: string; name: string },
  now: string,
): Promise<ProjectInput | undefined> => {
  const around = await gatherProjectFacts(reader, ref, now)
  return around && { ...around, secrets: await secretsOf(reader, ref) }
}

/** Undefined when the project does not exist. */
export const gatherProjectFacts = async (
  reader: Reader,
  { namespace, name }: { namespace: string; name: string },
  now: string,
): Promise<ProjectFacts | undefined> => {
  const project = await reader.get({ kind: 'Project', namespace, name })
  const uid = project?.metadata.uid
  if (project === undefined || uid === undefined) return undefined
  const { items } = await reader.list('Stagelet', { namespace, project: name })
  const stagelets = items.map((stagelet) => inProject(stagelet, uid))
  const running = stagelets.flatMap((s) =>
    (s.status?.services ?? []).flatMap(
      (service) => service.revision ?? service.lastSeen?.revision ?? [],
    ),
  )
  const sets = await readKeptSets(reader, uid, running)
  return {
    now,
    project,
    revisions: await reader.revisionsOf(uid),
    head: await reader.readSet(uid, 'head'),
    stagelets,
    runningSets: new Map(sets.map((set) => [set.revision, set])),
  }
}
