// Finds the stagelets of a project or an agent. Kept up to date from the change feed, so that no event costs a query.
import { findCondition, type Condition } from '../../src/resources/conditions.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'
import type { StageletStatus } from '../../src/resources/stagelet.ts'
import { inputsOf } from './project/reconciled-inputs.ts'

interface StageletRefs {
  readonly project: string
  readonly agent: string
  /** Changes when a person, or the rollout of the project, has changed the stagelet. */
  readonly fingerprint: string
}

export interface StageletIndex {
  /**
   * Takes a changed object in. False where nothing has to be reconciled for it: a Project whose counts alone
   * changed, and a Stagelet that the write of a secret has set to SecretsInSync=False/NewRevision.
   */
  note(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): boolean
  stageletsOf(owner: { kind: 'Project' | 'Agent'; namespace: string; name: string }): string[]
  projectOf(object: KubeObject): string | undefined
  /** Projects that have a stagelet on the agent. */
  projectsOn(agent: ObjectRef): string[]
}

export const createStageletIndex = (): StageletIndex => {
  const stagelets = new Map<string, StageletRefs>()
  /** Keys of stagelets by the key of their project or agent. */
  const byOwner = new Map<string, Set<string>>()
  const projects = new Map<string, string>()

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
      if (object.kind === 'Project') {
        const text = type === 'DELETED' ? '' : JSON.stringify(inputsOf(object))
        // After a break of the feed all objects are listed again, as ADDED: any of them may have changed.
        const isNews = type === 'ADDED' || projects.get(key) !== text
        if (type === 'DELETED') projects.delete(key)
        else projects.set(key, text)
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
    projectOf: (object) => {
      const name = (object.spec as { projectRef?: { name?: string } } | undefined)?.projectRef?.name
      return name === undefined ? undefined : keyOf(sibling(object, 'Project', name))
    },
    projectsOn: (agent) => {
      const on = [...(byOwner.get(keyOf(agent)) ?? [])].map((key) => stagelets.get(key)!.project)
      return [...new Set(on)]
    },
  }
}

/** The write of a secret sets this reason. There is nothing to do before the change set closes. */
const isResetBySecret = ({ status }: KubeObject): boolean => {
  const { conditions } = (status ?? {}) as { conditions?: Condition[] }
  return findCondition(conditions, 'SecretsInSync')?.reason === 'NewRevision'
}

const sibling = (object: KubeObject, kind: string, name: string): ObjectRef => ({
  kind,
  namespace: object.metadata.namespace ?? '',
  name,
})

const refsOf = (object: KubeObject): StageletRefs => {
  const { uid, generation, deletionTimestamp, annotations } = object.metadata
  const { admitted } = (object.status ?? {}) as StageletStatus
  const spec = object.spec as { projectRef: { name: string }; agentRef: { name: string } }
  return {
    project: keyOf(sibling(object, 'Project', spec.projectRef.name)),
    agent: keyOf(sibling(object, 'Agent', spec.agentRef.name)),
    fingerprint: JSON.stringify([uid, generation, deletionTimestamp, annotations, admitted]),
  }
}
