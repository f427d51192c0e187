// Converts an object of the cluster to the object that the store is to hold. Pure.
import { defined } from '../../src/kernel/defined.ts'
import type { NewCondition } from '../../src/resources/conditions.ts'
import { annotations, requestAnnotations, type KubeObject } from '../../src/resources/meta.ts'

/** Annotations that record from which state of the cluster the stored object was made. */
export const origin = {
  uid: 'stagely.dev/kubernetes-uid',
  generation: 'stagely.dev/kubernetes-generation',
  /** `NAME/KEY@RESOURCEVERSION` of the Secret that gave the value. */
  secret: 'stagely.dev/kubernetes-secret',
} as const

/** Keeps a Stagelet in the cluster until its agent has released it. */
export const clusterFinalizer = 'stagely.dev/controller'

/** One entry of a Secret, as in `spec.valueFrom.kubernetesSecret`. */
export interface SecretKeyRef {
  readonly name: string
  readonly key: string
}

/** The entry's bytes, or why there are none. */
export type ClusterSecretValue =
  { readonly base64: string; readonly resourceVersion: string } | { readonly missing: string }

export const secretKeyRefOf = (object: KubeObject): SecretKeyRef | undefined => {
  const from = object.spec?.['valueFrom'] as { kubernetesSecret?: SecretKeyRef } | undefined
  return object.kind === 'StagelySecret' ? from?.kubernetesSecret : undefined
}

export const refusalCondition = (
  object: KubeObject,
  reason: string,
  message: string,
): NewCondition => ({
  type: 'Accepted',
  status: 'False',
  reason,
  message,
  observedGeneration: object.metadata.generation ?? 1,
})

/** Why the object must not be stored at all; undefined: it may. */
export const refusePlainValue = (object: KubeObject): NewCondition | undefined => {
  if (object.kind !== 'StagelySecret') return undefined
  const field = ['value', 'valueBase64'].find((name) => object.spec?.[name] !== undefined)
  if (field === undefined) return undefined
  return refusalCondition(
    object,
    'PlainValue',
    `spec.${field} lies readable in etcd: rotate this value, remove the field, and use spec.sealedValue (stagely seal) or spec.valueFrom`,
  )
}

type Notes = Record<string, string>

const without = (notes: Notes, ...names: readonly string[]): Notes =>
  Object.fromEntries(Object.entries(notes).filter(([name]) => !names.includes(name)))

/** Annotations that the store sets. */
const serverAnnotations = [annotations.source, annotations.valueSource]

/** The annotation in which the store keeps the cluster's last value of a request annotation. */
const clusterValueOf = (name: string): string =>
  name.replace('stagely.dev/', 'stagely.dev/kubernetes-')

/**
 * Request annotations may be set in the cluster and through the API. A new value from the cluster wins;
 * otherwise the stored value stays.
 */
const requestsOf = (given: Notes, held: Notes): Notes => {
  const next: Notes = {}
  for (const name of requestAnnotations) {
    const said = given[name]
    const asked = said === undefined || said === held[clusterValueOf(name)] ? held[name] : said
    if (asked !== undefined) next[name] = asked
    if (said !== undefined) next[clusterValueOf(name)] = said
  }
  return next
}

/**
 * The object to store. `value` is the content of the Secret that the object refers to; `stored` the
 * present object in the store.
 */
export const toStoreObject = (
  object: KubeObject,
  value: ClusterSecretValue | undefined,
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
      ...defined({ labels: metadata.labels }),
      annotations: {
        ...without(given, annotations.lastApplied, ...serverAnnotations, ...requestAnnotations),
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

/** Replaces the reference by the value: agents have no access to the cluster. */
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

/**
 * True when the stored object was made from exactly this state of the cluster. The generation
 * identifies the spec.
 */
export const isUpToDate = (stored: KubeObject, wanted: KubeObject): boolean =>
  sameMap(
    without(stored.metadata.annotations ?? {}, ...serverAnnotations),
    wanted.metadata.annotations,
  ) && sameMap(stored.metadata.labels, wanted.metadata.labels)

/**
 * True when both are from one object of the cluster, and not from one that was deleted and created
 * again.
 */
export const isSameOrigin = (stored: KubeObject, object: KubeObject): boolean =>
  stored.metadata.annotations?.[origin.uid] === object.metadata.uid
