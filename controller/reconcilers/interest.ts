// Which keys a change concerns. Kept from the feed, so that no event costs a query.
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'

interface StageletRefs {
  readonly project: string
  readonly agent: string
}

export interface Interest {
  /** Takes a changed object in. */
  note(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void
  stageletsOf(owner: { kind: 'Project' | 'Agent'; namespace: string; name: string }): string[]
  projectOf(object: KubeObject): string | undefined
}

export const createInterest = (): Interest => {
  const stagelets = new Map<string, StageletRefs>()
  return {
    note: (type, object) => {
      if (object.kind !== 'Stagelet') return
      const key = keyOf(refOf(object))
      if (type === 'DELETED') stagelets.delete(key)
      else stagelets.set(key, refsOf(object))
    },
    stageletsOf: (owner) => {
      const wanted = keyOf(owner)
      const field = owner.kind === 'Project' ? 'project' : 'agent'
      return [...stagelets].filter(([, refs]) => refs[field] === wanted).map(([key]) => key)
    },
    projectOf: (object) => {
      const name = (object.spec as { projectRef?: { name?: string } } | undefined)?.projectRef?.name
      return name === undefined ? undefined : keyOf(sibling(object, 'Project', name))
    },
  }
}

const sibling = (object: KubeObject, kind: string, name: string): ObjectRef => ({
  kind,
  namespace: object.metadata.namespace ?? '',
  name,
})

const refsOf = (object: KubeObject): StageletRefs => {
  const spec = object.spec as { projectRef: { name: string }; agentRef: { name: string } }
  return {
    project: keyOf(sibling(object, 'Project', spec.projectRef.name)),
    agent: keyOf(sibling(object, 'Agent', spec.agentRef.name)),
  }
}
