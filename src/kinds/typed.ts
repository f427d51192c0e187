// Objects with the types of their kind. The store has checked each of them by the schema of its kind.
import type { AccessPolicySpec, AccessPolicyStatus } from './access-policy/schema.ts'
import type { AccessRequestSpec, AccessRequestStatus } from './access-request/schema.ts'
import type { AgentSpec, AgentStatus } from './agent/schema.ts'
import type { EventSpec } from './event/schema.ts'
import type { KubeObject } from '../resources/meta.ts'
import type { NotifierSpec, NotifierStatus } from './notifier/schema.ts'
import type { ObservationSpec } from './observation/schema.ts'
import type { ProjectSpec, ProjectStatus } from './project/schema.ts'
import type { RotationSpec, RotationStatus } from './rotation/schema.ts'
import type { SecretStoreSpec, SecretStoreStatus } from './secret-store/schema.ts'
import type { StageletSpec, StageletStatus } from './stagelet/schema.ts'
import type { TrustedIssuerSpec, TrustedIssuerStatus } from './trusted-issuer/schema.ts'
import type { SecretSpec, SecretStatus } from './secret/schema.ts'

/** An object of a kind whose spec has required fields. */
type WithSpec<Spec, Status = Record<string, unknown>> = KubeObject<Spec, Status> & { spec: Spec }

interface TypeOfKind {
  AccessPolicy: WithSpec<AccessPolicySpec, AccessPolicyStatus>
  AccessRequest: WithSpec<AccessRequestSpec, AccessRequestStatus>
  Agent: KubeObject<AgentSpec, AgentStatus>
  Event: WithSpec<EventSpec>
  Notifier: WithSpec<NotifierSpec, NotifierStatus>
  Observation: WithSpec<ObservationSpec>
  Project: KubeObject<ProjectSpec, ProjectStatus>
  Rotation: WithSpec<RotationSpec, RotationStatus>
  SecretStore: WithSpec<SecretStoreSpec, SecretStoreStatus>
  Stagelet: WithSpec<StageletSpec, StageletStatus>
  StagelySecret: WithSpec<SecretSpec, SecretStatus>
  TrustedIssuer: WithSpec<TrustedIssuerSpec, TrustedIssuerStatus>
}

type TypedKind = keyof TypeOfKind
export type Typed<K extends TypedKind> = TypeOfKind[K]

/** An object of the kind that a literal names; of any other kind, an object without types. */
export type ObjectOf<K extends string> = K extends TypedKind ? Typed<K> : KubeObject

/** The object with the types of its kind. An object of another kind is a fault of the code. */
export const ofKind = <K extends string>(kind: K, object: KubeObject): ObjectOf<K> => {
  if (object.kind !== kind) throw new Error(`expected a ${kind}, got a ${object.kind}`)
  return object as unknown as ObjectOf<K>
}

export const specOf = <K extends TypedKind>(kind: K, object: KubeObject): Typed<K>['spec'] =>
  ofKind<TypedKind>(kind, object).spec as Typed<K>['spec']

/** Empty while nobody has written the status. */
export const statusOf = <K extends TypedKind>(
  kind: K,
  object: KubeObject,
): NonNullable<Typed<K>['status']> => ofKind<TypedKind>(kind, object).status ?? {}
