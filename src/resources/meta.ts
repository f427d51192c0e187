// The parts that every object has, in the wire form of Kubernetes. `resourceVersion` is a decimal
// string; its order as an integer is the commit order of the store.

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
  /** Prefix of a name that the store makes, when `name` is ''. */
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
  /** Kept for clients that read them: nothing is deleted with its owner. */
  ownerReferences?: OwnerReference[]
  /** Only the API writes it; other writers keep it unchanged. */
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

/** Identifies one object. `namespace` is '' for cluster-scoped kinds (Namespace). */
export interface ObjectRef<Kind extends string = string> {
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
}

/** Namespace and name of an object, where its kind is known. */
export type Place = Pick<ObjectRef, 'namespace' | 'name'>

export const refOf = (object: KubeObject<unknown, unknown>): ObjectRef => ({
  kind: object.kind,
  namespace: object.metadata.namespace ?? '',
  name: object.metadata.name,
})

/** Text form of a ref: the key of maps and work queues. */
export const keyOf = (ref: ObjectRef): string => `${ref.kind}/${ref.namespace}/${ref.name}`

export const refFromKey = (key: string): ObjectRef => {
  const [kind = '', namespace = '', name = ''] = key.split('/')
  return { kind, namespace, name }
}

/** Annotations with a meaning. */
export const annotations = {
  /**
   * Set by the server: the source that owns the object (`api`, `kubernetes`, `folder:<path>`). Setting
   * it to `api` adopts the object. Setting it to `system` leaves the object to the first source that
   * declares it.
   */
  source: 'stagely.dev/source',
  /**
   * Set by the server on a secret whose value comes from the object's owner too. Without it anybody
   * with the right may set the value.
   */
  valueSource: 'stagely.dev/value-source',
  /** In the answer to a dry run: the value of the secret would be another one. Never stored. */
  valueChanges: 'stagely.dev/value-changes',
  /** A new value makes the agent roll out pending edits of the compose file. */
  redeploy: 'stagely.dev/redeploy',
  /** A new value ends the quarantine of failed revisions, which are tried again. */
  retry: 'stagely.dev/retry',
  /** A new value puts the end of a Stagelet off: by its ttl, or by the length in the second line. */
  extend: 'stagely.dev/extend',
  /** On a Project: agents that were lost before this time (RFC 3339) no longer hold its rollout back. */
  resumed: 'stagely.dev/resumed',
  /** Set by the server on a Project whose section `rollout` was made by a pause: the end of the pause takes it away. */
  turnsByPause: 'stagely.dev/turns-by-pause',
  /** On an Agent: a new value makes it register new keys. */
  rotateKeys: 'stagely.dev/rotate-keys',
  /** On a SecretStore: a new value makes it be looked at now; a second line and more name keys. */
  refresh: 'stagely.dev/refresh',
  /** On a SecretStore: a new value asks it whether it takes the credential, also after it did not. */
  check: 'stagely.dev/check',
  /** On a SecretStore: a new value allows it to remove many missing secrets at once. */
  resumeStore: 'stagely.dev/resume-store',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
} as const

/**
 * Annotations that request an action. Who has the right to the action may set them, whoever owns the
 * object.
 */
export const requestAnnotations = [
  annotations.redeploy,
  annotations.retry,
  annotations.extend,
  annotations.resumed,
  annotations.rotateKeys,
  annotations.refresh,
  annotations.check,
  annotations.resumeStore,
] as const

/** On a Stagelet that is a preview: its name within the project. */
export const previewLabel = 'stagely.dev/preview'

/** On a Stagelet, until its agent has released it. */
export const agentFinalizer = 'stagely.dev/agent'

/** On every service that gets secrets; the value is the service's digest. */
export const digestLabel = 'dev.stagely.digest'
/** On the container of a `stagely compose -- run`; the value is the id of the run. */
export const runLabel = 'dev.stagely.run'
