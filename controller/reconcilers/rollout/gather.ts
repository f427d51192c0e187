// Reads one project, its stagelets, and the agents that run them.
import type { Place } from '../../../src/resources/meta.ts'
import type { Typed } from '../../../src/kinds/typed.ts'
import type { Reader, SecretSet } from '../../../src/store/store.ts'
import type { ProjectObject, StageletObject } from '../project/gather.ts'
import { inProject } from '../stagelet/of-project.ts'

export type AgentObject = Typed<'Agent'>

export interface RolloutInput {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly project: ProjectObject
  /** Newest closed revision. */
  readonly closed: number
  /** The newest set. It is read only where a failure is in quarantine, to know whether the set still has its values. */
  readonly head: SecretSet | undefined
  /** Sorted by name, without those that are being deleted. */
  readonly stagelets: readonly StageletObject[]
  readonly agents: ReadonlyMap<string, AgentObject>
}

/** Undefined where the project does not exist. `always`: the agents are read also where the project has no staged rollout. */
export const gatherRollout = async (
  reader: Reader,
  { namespace, name }: Place,
  { now, always = false }: { now: number; always?: boolean },
): Promise<RolloutInput | undefined> => {
  const project = await reader.get({ kind: 'Project', namespace, name })
  const uid = project?.metadata.uid
  if (project === undefined || uid === undefined) return undefined
  const { items } = await reader.list('Stagelet', { namespace, project: name })
  const stagelets = items
    .filter((s) => s.metadata.deletionTimestamp === undefined)
    .map((stagelet) => inProject(stagelet, uid))
  const failed = stagelets.some((s) => (s.status?.quarantine ?? []).length > 0)
  const wanted = always || project.spec?.rollout !== undefined
  const agents = wanted ? (await reader.list('Agent', { namespace })).items : []
  return {
    now,
    project,
    closed: (await reader.revisionsOf(uid)).closed,
    head: wanted && failed ? await reader.readSet(uid, 'head') : undefined,
    stagelets,
    agents: new Map(agents.map((agent) => [agent.metadata.name, agent])),
  }
}
