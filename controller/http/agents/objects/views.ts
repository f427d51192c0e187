// The fields of a Stagelet and of its Project from which an agent's desired state is made. Pure.
import { findCondition, type Condition } from '../../../../src/resources/conditions.ts'
import { annotations, type KubeObject } from '../../../../src/resources/meta.ts'
import type { Quarantined } from '../../../../src/kinds/observation/schema.ts'
import { healthyHere } from '../../../../src/rollout/healthy-here.ts'
import type { StageletSpec, StageletStatus } from '../../../../src/kinds/stagelet/schema.ts'
import { ofKind, specOf, statusOf } from '../../../../src/kinds/typed.ts'
import { projectNameOf } from '../../../../src/resources/project-ref.ts'
import { agentKeyOf } from '../../../../src/protocol/agent-key.ts'

/** The fields of a Stagelet that matter to its agent. */
export interface StageletView {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly generation: number
  readonly agentKey: string
  readonly projectKey: string
  readonly compose: StageletSpec['compose']
  readonly paused: boolean
  /**
   * Revision that its reconciler decided on. Undefined until the first rollout may begin: the stack must not be
   * started.
   */
  readonly wantedRevision: number | undefined
  /** Statuses of the conditions that are counted. */
  readonly conditions: Readonly<Record<CountedCondition, Condition['status']>>
  /** The Project that wantedRevision belongs to. */
  readonly project: StageletStatus['project']
  /** What failed there. */
  readonly quarantine: readonly Quarantined[]
  readonly healthyRevision: number | undefined
  readonly redeploy: string
  readonly retry: string
  readonly release: 'Retain' | 'Down' | undefined
  readonly releaseVolumes: boolean
  readonly version: number
}

export interface ProjectView {
  readonly uid: string
  /** Time of its creation. */
  readonly since: string
  /** Newest closed revision. */
  readonly revision: number
  /** The project has spec.rollout: each stagelet waits until it is admitted. */
  readonly isStaged: boolean
  readonly version: number
}

export const projectViewOf = (project: KubeObject, version: number): ProjectView => ({
  uid: project.metadata.uid ?? '',
  since: project.metadata.creationTimestamp ?? '',
  revision: statusOf('Project', project).revision ?? 0,
  isStaged: specOf('Project', project)?.rollout !== undefined,
  version,
})

/** Conditions of stagelets that metrics count. */
export const countedConditions = [
  ...(['Ready', 'SecretsInSync', 'Progressing', 'Degraded', 'Drifted'] as const),
]
export type CountedCondition = (typeof countedConditions)[number]

const statusesOf = (status: StageletStatus | undefined): StageletView['conditions'] =>
  Object.fromEntries(
    countedConditions.map((type) => [
      type,
      findCondition(status?.conditions, type)?.status ?? 'Unknown',
    ]),
  ) as StageletView['conditions']

const namespacedKey = (namespace = '', name = ''): string => `${namespace}/${name}`

export const namespacedKeyOf = ({ metadata }: KubeObject): string =>
  namespacedKey(metadata.namespace, metadata.name)

/** The project that an object names. */
export const projectKeyNamedBy = (object: KubeObject): string =>
  namespacedKey(object.metadata.namespace, projectNameOf(object))

export const viewOf = (object: KubeObject, version: number): StageletView => {
  const { metadata } = object
  const { spec, status } = ofKind('Stagelet', object)
  const namespace = metadata.namespace ?? ''
  return {
    uid: metadata.uid ?? '',
    namespace,
    name: metadata.name,
    generation: metadata.generation ?? 0,
    agentKey: agentKeyOf(namespace, spec.agentRef.name),
    projectKey: projectKeyNamedBy(object),
    compose: spec.compose,
    paused: spec.paused === true,
    wantedRevision: status?.wantedRevision,
    conditions: statusesOf(status),
    project: status?.project,
    quarantine: status?.quarantine ?? [],
    healthyRevision: healthyHere({ spec, status }),
    redeploy: metadata.annotations?.[annotations.redeploy] ?? '',
    retry: metadata.annotations?.[annotations.retry] ?? '',
    release: metadata.deletionTimestamp === undefined ? undefined : spec.deletionPolicy,
    releaseVolumes: spec.deleteVolumes === true,
    version,
  }
}
