// Conditions of a secret that no stagelet sees, or that has no value. The store sets them with the write, and the reconciler
// whenever it looks again. Both use the same texts, so that the second write changes nothing.
import type { Verdict } from '../../resources/conditions.ts'
import type { KubeObject } from '../../resources/meta.ts'
import type { SecretSpec } from './schema.ts'

const whyNoStagelet = ({
  stageletRef,
  environments,
}: Pick<SecretSpec, 'stageletRef' | 'environments'>): string => {
  if (environments !== undefined)
    return `no stagelet of the project is in environment ${environments.join(' or ')}`
  return stageletRef === undefined
    ? 'the project has no stagelet yet'
    : `stagelet "${stageletRef.name}" is not of this project`
}

/** `ScopeMatched` while the project has no stagelet that may see the secret. */
export const noStagelet = (spec: Pick<SecretSpec, 'stageletRef' | 'environments'>): Verdict => ({
  status: 'Unknown',
  reason: 'NoStagelet',
  message: whyNoStagelet(spec),
})

/** `InSync` of a secret with a value, when no service sees it. */
export const noConsumers: Verdict = {
  status: 'True',
  reason: 'NoConsumers',
  message: 'no service sees it',
}

/** `ScopeMatched` and `InSync` of a secret for the controller alone. */
export const forController: Verdict = {
  status: 'True',
  reason: 'ForController',
  message: 'it is for the controller alone: no service and no agent ever sees it',
}

const whyNoValue = ({ valueFrom = {} }: Pick<SecretSpec, 'valueFrom'>): string => {
  const { secretRef, kubernetesSecret, rotation, external } = valueFrom
  if (rotation !== undefined)
    return `Rotation "${rotation.name}" makes it, and has not yet: see its conditions`
  if (external !== undefined)
    return `nothing was fetched from store "${external.store}" yet: the condition Fresh, or those of the store, say why`
  if (kubernetesSecret !== undefined)
    return 'valueFrom.kubernetesSecret is read only by a controller that follows the cluster (--kubernetes)'
  return secretRef === undefined
    ? 'no value was ever given: set spec.value'
    : `secret "${secretRef.name}", whose value it takes, does not exist or has none yet`
}

/** `Accepted` and `InSync` of a secret without a value. */
export const missingValue = (spec: Pick<SecretSpec, 'valueFrom'>): Verdict => ({
  status: 'False',
  reason: 'ValueMissing',
  message: whyNoValue(spec),
})

/** `Accepted` of a secret whose new value refers to others that have none yet. */
export const valueToCome = (awaits: readonly string[], hasValue: boolean): Verdict => {
  const names = awaits.map((reference) => `\${${reference}}`).join(', ')
  const until = hasValue ? 'until then it has the value before' : 'until then it has none'
  return {
    status: 'False',
    reason: 'ValueToCome',
    message: `the value takes effect when ${names} have values, which a Rotation or a store gives; ${until}`,
  }
}

/**
 * `Accepted` and `InSync` of an object whose project does not exist. Objects may be created in any
 * order: the project may come later.
 */
export const projectMissing = (object: Pick<KubeObject, 'spec'>): Verdict => {
  const { name } = (object.spec as { projectRef: { name: string } }).projectRef
  return {
    status: 'False',
    reason: 'ProjectMissing',
    message: `project "${name}" does not exist in this namespace: apply it; until then nothing is delivered, and no container is touched`,
  }
}
