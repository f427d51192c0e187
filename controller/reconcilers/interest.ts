// Which keys a change concerns. Kept from the feed, so that no event costs a query.
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'

interface StageletRefs {
  readonly project: string
  readonly agent: string
}

export interface Interest {
  /** Takes a changed object in. False for a Project of which only its own counts changed. */
  note(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): boolean
  stageletsOf(owner: { kind: 'Project' | 'Agent'; namespace: string; name: string }): string[]
  projectOf(object: KubeObject): string | undefined
  /** Projects that have a stagelet on the agent. */
  projectsOn(agent: ObjectRef): string[]
}

export const createInterest = (): Interest => {
  const stagelets = new Map<string, StageletRefs>()
  const projects = new Map<string, string>()
  return {
    note: (type, object) => {
      const key = keyOf(refOf(object))
      if (object.kind === 'Project') {
        const text = type === 'DELETED' ? '' : fingerprintOf(object)
        // A list that is read anew may stand for changes that were missed.
        const isNews = type === 'ADDED' || projects.get(key) !== text
        if (type === 'DELETED') projects.delete(key)
        else projects.set(key, text)
        return isNews
      }
      if (object.kind !== 'Stagelet') return true
      if (type === 'DELETED') stagelets.delete(key)
      else stagelets.set(key, refsOf(object))
      return true
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
    projectsOn: (agent) => {
      const wanted = keyOf(agent)
      const on = [...stagelets.values()].filter((refs) => refs.agent === wanted)
      return [...new Set(on.map((refs) => refs.project))]
    },
  }
}

/** What of a project decides anything about its stagelets and secrets. */
const fingerprintOf = ({ metadata, status }: KubeObject): string =>
  JSON.stringify([metadata.uid, metadata.generation, status?.['revision']])

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
