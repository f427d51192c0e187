// From an object of the cluster to what the store is to hold. Pure.
import type { NewCondition } from '../../src/resources/conditions.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'

/** Annotations that say which state of the cluster the stored object is from. */
export const origin = {
  uid: 'stagely.dev/kubernetes-uid',
  generation: 'stagely.dev/kubernetes-generation',
  /** `NAME/KEY@RESOURCEVERSION` of the Secret that gave the value. */
  secret: 'stagely.dev/kubernetes-secret',
} as const

/** Keeps a Stagelet in the cluster until its agent has let go of it. */
export const clusterFinalizer = 'stagely.dev/controller'

/** A Secret's entry, as `spec.valueFrom.kubernetesSecret` names it. */
export interface SecretKeyRef {
  readonly name: string
  readonly key: string
}

/** The entry's bytes, or why there are none. */
export type SecretValue =
  { readonly base64: string; readonly resourceVersion: string } | { readonly missing: string }

export const secretKeyRefOf = (object: KubeObject): SecretKeyRef | undefined => {
  const from = object.spec?.['valueFrom'] as { kubernetesSecret?: SecretKeyRef } | undefined
  return object.kind === 'StagelySecret' ? from?.kubernetesSecret : undefined
}

export const refusal = (object: KubeObject, reason: string, message: string): NewCondition => ({
  type: 'Accepted',
  status: 'False',
  reason,
  message,
  observedGeneration: object.metadata.generation ?? 1,
})

/** Why the object must not be stored at all; undefined when it may. */
export const refusePlainValue = (object: KubeObject): NewCondition | undefined => {
  if (object.kind !== 'StagelySecret') return undefined
  const field = ['value', 'valueBase64'].find((name) => object.spec?.[name] !== undefined)
  if (field === undefined) return undefined
  return refusal(
    object,
    'PlainValue',
    `spec.${field} lies readable in etcd: rotate this value, remove the field, and use spec.sealedValue (stagely seal) or spec.valueFrom`,
  )
}

/** `value` is what the object's Secret holds, where it names one. */
export const carry = (object: KubeObject, value: SecretValue | undefined): KubeObject => {
  const { metadata } = object
  const {
    [annotations.lastApplied]: _,
    [annotations.source]: __,
    ...given
  } = metadata.annotations ?? {}
  const ref = secretKeyRefOf(object)
  const found = value !== undefined && 'base64' in value ? value : undefined
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace ?? 'default',
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: {
        ...given,
        [origin.uid]: metadata.uid ?? '',
        [origin.generation]: String(metadata.generation ?? 1),
        ...(ref === undefined || found === undefined
          ? {}
          : { [origin.secret]: `${ref.name}/${ref.key}@${found.resourceVersion}` }),
      },
    },
    spec: ref === undefined ? (object.spec ?? {}) : withValue(object.spec, found),
  }
}

/** The store takes the value itself: the Secret is the cluster's, and agents know no cluster. */
const withValue = (
  spec: Record<string, unknown> = {},
  found: { base64: string } | undefined,
): Record<string, unknown> => {
  const { valueFrom: _, ...rest } = spec
  return found === undefined ? rest : { ...rest, valueBase64: found.base64 }
}

const sameMap = (a: Record<string, string> = {}, b: Record<string, string> = {}): boolean => {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

/** True when the stored object is from just this state of the cluster's; the generation stands for the spec. */
export const isCarried = (stored: KubeObject, wanted: KubeObject): boolean => {
  const { [annotations.source]: _, ...held } = stored.metadata.annotations ?? {}
  return (
    sameMap(held, wanted.metadata.annotations) &&
    sameMap(stored.metadata.labels, wanted.metadata.labels)
  )
}

/** True when both come from one object of the cluster, and not from one that was made anew. */
export const isSameOrigin = (stored: KubeObject, object: KubeObject): boolean =>
  stored.metadata.annotations?.[origin.uid] === object.metadata.uid
