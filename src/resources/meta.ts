// What every object has. Wire shape of Kubernetes; `resourceVersion` is a decimal string whose
// integer order is the commit order of the store.

import type { OwnerReference } from './owner-references.ts'

export const apiGroup = 'stagely.dev'
export const apiVersion = 'stagely.dev/v1alpha1'

/** Fields that one manager owns, in the wire form of server-side apply. */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: 'Apply' | 'Update'
  apiVersion?: string
  time?: string
  fieldsType?: 'FieldsV1'
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

export interface ObjectMeta {
  name: string
  /** Prefix of a name that the store makes, where `name` is ''. */
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  /** Kept for those who read them: nothing is deleted with its owner. */
  ownerReferences?: OwnerReference[]
  /** Written by the API only; other writers leave it as it is. */
  managedFields?: ManagedFieldsEntry[]
}

/** Any stored object. `spec` and `status` are typed by kind through `Typed`. */
export interface KubeObject<Spec = Record<string, unknown>, Status = Record<string, unknown>> {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec?: Spec
  status?: Status
}

/** Names one object. `namespace` is '' for cluster-scoped kinds (Namespace). */
export interface ObjectRef {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

export const refOf = (object: KubeObject<unknown, unknown>): ObjectRef => ({
  kind: object.kind,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
})

/** Stable text form of a ref: the key of maps and of work queues. */
export const keyOf = (ref: ObjectRef): string => `${ref.kind}/${ref.namespace}/${ref.name}`

export const refFromKey = (key: string): ObjectRef => {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  return { kind, namespace, name }
}

/** Annotations with a meaning. */
export const annotations = {
  /**
   * Set by the server: who owns the object (`api`, `kubernetes`, `folder:<path>`). Setting it to `api` adopts
   * the object, setting it to `system` leaves it to the first source that declares it.
   */
  source: 'stagely.dev/source',
  /** Set by the server on a secret whose owner gives its value too; without it the value is open. */
  valueSource: 'stagely.dev/value-source',
  /** Any new value makes the agent roll out pending edits of the compose file. */
  redeploy: 'stagely.dev/redeploy',
  /** Any new value ends the quarantine of what failed, and lets it be tried again. */
  retry: 'stagely.dev/retry',
  /** On a Project: agents that vanished before this time (RFC 3339) no longer hold its rollout back. */
  resumed: 'stagely.dev/resumed',
  /** On an Agent: any new value makes it register new keys. */
  rotateKeys: 'stagely.dev/rotate-keys',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
} as const

/** Annotations that ask for an action; whoever may ask may set them, whoever owns the object. */
export const requestAnnotations = [
  annotations.redeploy,
  annotations.retry,
  annotations.resumed,
  annotations.rotateKeys,
] as const

/** Kept on a Stagelet until its agent has let go of it. */
export const agentFinalizer = 'stagely.dev/agent'

/** On every service that gets secrets; the value is the service's digest. */
export const digestLabel = 'dev.stagely.digest'
/** Of the container of one `stagely compose -- run`: which run it is of. */
export const runLabel = 'dev.stagely.run'
