// Status of a secret after a write of its spec: what is known at once. The rest is the reconcilers'.
import { withCondition, type Condition, type NewCondition } from '../resources/conditions.ts'
import type { KubeObject } from '../resources/meta.ts'
import type { SecretSpec, SecretStatus } from '../resources/stagelysecret.ts'
import { publicHalf } from '../secrets/generate.ts'
import type { SetEntry } from '../secrets/visible.ts'
import type { WriteSession } from './session.ts'

const specOf = (object: KubeObject): SecretSpec => object.spec as SecretSpec

const missingValue = (object: KubeObject): string => {
  const { secretRef, kubernetesSecret } = specOf(object).valueFrom ?? {}
  if (kubernetesSecret !== undefined)
    return 'valueFrom.kubernetesSecret is read only by a controller that follows the cluster (--kubernetes)'
  const source = secretRef?.name
  return source === undefined
    ? 'no value was ever given: set spec.value'
    : `secret "${source}", whose value it takes, does not exist or has none yet`
}

const publicKeyOf = (
  object: KubeObject,
  stored: { value: Buffer } | undefined,
): { publicKey?: string } => {
  const wanted = specOf(object).valueFrom?.generate?.keypair !== undefined
  const publicKey = wanted && stored !== undefined ? publicHalf(stored.value) : undefined
  return publicKey === undefined ? {} : { publicKey }
}

export const secretStatusAfter = (
  session: WriteSession,
  object: KubeObject,
  stored: { entry: SetEntry; value: Buffer } | undefined,
): SecretStatus => {
  const entry = stored?.entry
  const old = (object.status ?? {}) as SecretStatus
  const observedGeneration = object.metadata.generation ?? 1
  const version = entry?.version ?? old.version
  const accepted: NewCondition =
    version === undefined
      ? {
          type: 'Accepted',
          status: 'False',
          reason: 'ValueMissing',
          message: missingValue(object),
          observedGeneration,
        }
      : {
          type: 'Accepted',
          status: 'True',
          reason: 'Accepted',
          message: 'the value is stored',
          observedGeneration,
        }
  const before = (old.conditions ?? []) as Condition[]
  const conditions = withCondition(before, accepted, session.now)
  if (entry === undefined) return { ...old, observedGeneration, conditions }
  const inSync: NewCondition = {
    type: 'InSync',
    status: 'False',
    reason: 'NewVersion',
    message: `version ${entry.version} is stored and not yet in every container`,
    observedGeneration,
  }
  const { publicKey: _, references: __, ...others } = old
  return {
    ...others,
    ...publicKeyOf(object, stored),
    ...(entry.references === undefined ? {} : { references: [...entry.references] }),
    observedGeneration,
    version: entry.version,
    bytes: entry.bytes,
    updatedAt: session.now,
    updatedBy: session.actor.name,
    conditions: withCondition(conditions, inSync, session.now),
  }
}
