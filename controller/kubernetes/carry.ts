// From an object of the cluster to what the store is to hold. Pure.
import type { NewCondition } from '../../src/resources/conditions.ts'
import { annotations, requestAnnotations, type KubeObject } from '../../src/resources/meta.ts'

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

type Notes = Record<string, string>

const without = (notes: Notes, ...names: readonly string[]): Notes =>
  Object.fromEntries(Object.entries(notes).filter(([name]) => !names.includes(name)))

/** Set by the store. */
const serversOwn = [annotations.source, annotations.valueSource]

/** Under which the store keeps what the cluster said last of a request. */
const saidOf = (name: string): string => name.replace('stagely.dev/', 'stagely.dev/kubernetes-')

/** Requests come by both ways: what the cluster newly says counts, else what was asked already. */
const requestsOf = (given: Notes, held: Notes): Notes => {
  const next: Notes = {}
  for (const name of requestAnnotations) {
    const said = given[name]
    const asked = said === undefined || said === held[saidOf(name)] ? held[name] : said
    if (asked !== undefined) next[name] = asked
    if (said !== undefined) next[saidOf(name)] = said
  }
  return next
}

/** `value` is what the object's Secret holds, where it names one; `stored` what the store has of it. */
export const carry = (
  object: KubeObject,
  value: SecretValue | undefined,
  stored: KubeObject | undefined,
): KubeObject => {
  const { metadata } = object
  const given = metadata.annotations ?? {}
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
        ...without(given, annotations.lastApplied, ...serversOwn, ...requestAnnotations),
        ...requestsOf(given, stored?.metadata.annotations ?? {}),
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

const sameMap = (a: Notes = {}, b: Notes = {}): boolean => {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

/** True when the stored object is from just this state of the cluster's; the generation stands for the spec. */
export const isCarried = (stored: KubeObject, wanted: KubeObject): boolean =>
  sameMap(without(stored.metadata.annotations ?? {}, ...serversOwn), wanted.metadata.annotations) &&
  sameMap(stored.metadata.labels, wanted.metadata.labels)

/** True when both come from one object of the cluster, and not from one that was made anew. */
export const isSameOrigin = (stored: KubeObject, object: KubeObject): boolean =>
  stored.metadata.annotations?.[origin.uid] === object.metadata.uid
