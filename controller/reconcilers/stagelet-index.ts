// Index of stagelets by project and agent. The change feed keeps it up to date, so that no event costs a query.
import { statusConditions, findCondition, isTrue } from '../../src/resources/conditions.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { projectNameOf } from '../../src/resources/project-ref.ts'
import { inputsOf } from './project/reconciled-inputs.ts'

interface StageletRefs {
  readonly project: string
  readonly agent: string
  /** Changes when a person, or the rollout of the project, has changed the stagelet. */
  readonly fingerprint: string
}

interface StageletIndex {
  /**
   * Adds a changed object to the index. False where nothing has to be reconciled: only the counts of a Project have changed,
   * or only the versions or the clock of an Agent, or the write of a secret has set a Stagelet to
   * SecretsInSync=False/NewRevision.
   */
  note(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): boolean
  stageletsOf(owner: { kind: 'Project' | 'Agent'; namespace: string; name: string }): string[]
  /** How many stagelets the project has, by its key. */
  countOf(project: string): number
  projectOf(object: KubeObject): string | undefined
  /** Projects that have a stagelet on the agent. */
  projectsOn(agent: ObjectRef): string[]
}

export const createStageletIndex = (): StageletIndex => {
  const stagelets = new Map<string, StageletRefs>()
  /** Keys of stagelets by the key of their project or agent. */
  const byOwner = new Map<string, Set<string>>()
  /** By key, the inputs of each project and agent for which its stagelets were reconciled last. */
  const owners = new Map<string, string>()

  const unlink = (key: string): void => {
    const refs = stagelets.get(key)
    if (refs === undefined) return
    stagelets.delete(key)
    for (const owner of [refs.project, refs.agent]) {
      const keys = byOwner.get(owner)
      keys?.delete(key)
      if (keys?.size === 0) byOwner.delete(owner)
    }
  }
  const link = (key: string, refs: StageletRefs): void => {
    const old = stagelets.get(key)
    if (old?.project !== refs.project || old.agent !== refs.agent) unlink(key)
    stagelets.set(key, refs)
    for (const owner of [refs.project, refs.agent])
      byOwner.set(owner, (byOwner.get(owner) ?? new Set<string>()).add(key))
  }

  return {
    note: (type, object) => {
      const key = keyOf(refOf(object))
      if (object.kind === 'Project' || object.kind === 'Agent') {
        const inputs = object.kind === 'Project' ? inputsOf(object) : agentInputsOf(object)
        const text = type === 'DELETED' ? '' : JSON.stringify(inputs)
        // After a break of the feed all objects are listed again, as ADDED: any of them may have changed.
        const isNews = type === 'ADDED' || owners.get(key) !== text
        if (type === 'DELETED') owners.delete(key)
        else owners.set(key, text)
        return isNews
      }
      if (object.kind !== 'Stagelet') return true
      if (type === 'DELETED') {
        unlink(key)
        return true
      }
      const refs = refsOf(object)
      const isReset =
        isResetBySecret(object) && stagelets.get(key)?.fingerprint === refs.fingerprint
      link(key, refs)
      return !isReset
    },
    stageletsOf: (owner) => [...(byOwner.get(keyOf(owner)) ?? [])],
    countOf: (project) => byOwner.get(project)?.size ?? 0,
    projectOf: (object) => {
      const name = projectNameOf(object)
      return name === undefined ? undefined : keyOf(sibling(object, 'Project', name))
    },
    projectsOn: (agent) => {
      const on = [...(byOwner.get(keyOf(agent)) ?? [])].map((key) => stagelets.get(key)!.project)
      return [...new Set(on)]
    },
  }
}

/** The fields of an agent that start a reconciliation of its stagelets. */
const agentInputsOf = (agent: KubeObject): unknown => {
  const { metadata, spec } = agent
  const { conditions, lastLost, lastSeen } = statusOf('Agent', agent)
  const at = isTrue(conditions, 'Ready') ? lastLost : (lastLost ?? lastSeen)
  return [metadata.uid, metadata.annotations, metadata.deletionTimestamp, spec, conditions, at]
}

/** The write of a secret sets this reason. There is nothing to do before the change set closes. */
const isResetBySecret = (stagelet: KubeObject): boolean =>
  findCondition(statusConditions(stagelet), 'SecretsInSync')?.reason === 'NewRevision'

const sibling = (object: KubeObject, kind: string, name: string): ObjectRef => ({
  kind,
  namespace: object.metadata.namespace ?? '',
  name,
})

const refsOf = (object: KubeObject): StageletRefs => {
  const { uid, generation, deletionTimestamp, annotations } = object.metadata
  const { admitted } = statusOf('Stagelet', object)
  const spec = specOf('Stagelet', object)
  return {
    project: keyOf(sibling(object, 'Project', spec.projectRef.name)),
    agent: keyOf(sibling(object, 'Agent', spec.agentRef.name)),
    fingerprint: JSON.stringify([uid, generation, deletionTimestamp, annotations, admitted]),
  }
}
