// What is said of a secret that no stagelet can see. The store says it at once with the write, and the
// reconciler whenever it looks again: the same words, so that the second look writes nothing.
import type { NewCondition } from './conditions.ts'
import type { KubeObject } from './meta.ts'
import type { SecretSpec } from './stagelysecret.ts'

export type Verdict = Omit<NewCondition, 'type' | 'observedGeneration'>

/** `ScopeMatched` while the project has no stagelet that may see the secret. */
export const noStagelet = ({ stageletRef }: Pick<SecretSpec, 'stageletRef'>): Verdict => {
  const message =
    stageletRef === undefined
      ? 'the project has no stagelet yet'
      : `stagelet "${stageletRef.name}" is not of this project`
  return { status: 'Unknown', reason: 'NoStagelet', message }
}

/** `InSync` of a secret that has a value and no service to see it. */
export const noConsumers: Verdict = {
  status: 'True',
  reason: 'NoConsumers',
  message: 'no service sees it',
}

/** `Accepted` and `InSync` of what names a project that is not there. Any order is good: it may come later. */
export const projectMissing = (object: Pick<KubeObject, 'spec'>): Verdict => {
  const { name } = (object.spec as { projectRef: { name: string } }).projectRef
  return {
    status: 'False',
    reason: 'ProjectMissing',
    message: `project "${name}" does not exist in this namespace: apply it; until then nothing is delivered, and no container is touched`,
  }
}
