// The one list of kinds. API paths, CRDs, OpenAPI, validation, defaults, types and printer columns are
// derived from it.
import type { Kind } from '../resources/define-kind.ts'
import { accessPolicy } from './access-policy/kind.ts'
import { accessRequest } from './access-request/kind.ts'
import { agent } from './agent/kind.ts'
import { event } from './event/kind.ts'
import { namespace } from './namespace/kind.ts'
import { notifier } from './notifier/kind.ts'
import { isDeclared, type KindName } from './names.ts'
import { observation } from './observation/kind.ts'
import { project } from './project/kind.ts'
import { rotation } from './rotation/kind.ts'
import { secret } from './secret/kind.ts'
import { secretStore } from './secret-store/kind.ts'
import { stagelet } from './stagelet/kind.ts'
import { trustedIssuer } from './trusted-issuer/kind.ts'

export const definitions = {
  Namespace: namespace,
  Project: project,
  Agent: agent,
  StagelySecret: secret,
  Stagelet: stagelet,
  Notifier: notifier,
  Rotation: rotation,
  SecretStore: secretStore,
  TrustedIssuer: trustedIssuer,
  AccessPolicy: accessPolicy,
  AccessRequest: accessRequest,
  Event: event,
  Observation: observation,
} as const satisfies { readonly [K in KindName]: Kind & { readonly kind: K } }

export const kinds: readonly Kind[] = Object.values(definitions)

/** Kinds with a CRD: those that a cluster and a folder of manifests may hold. */
export const crdKinds: readonly Kind[] = kinds.filter(isDeclared)

const byKind = new Map(kinds.map((k) => [k.kind, k]))

export const findKind = (kind: string): Kind | undefined => byKind.get(kind)

/** The kind's entry. Throws for an unknown kind, which is a fault of the code. */
export const requireKind = (kind: string): Kind => {
  const found = byKind.get(kind)
  if (found === undefined) throw new Error(`no such kind: ${kind}`)
  return found
}

/** Compares by the order in which kinds are applied; they are removed in the reverse one. */
export const byApplyOrder = (a: { readonly kind: string }, b: { readonly kind: string }): number =>
  requireKind(a.kind).applyOrder - requireKind(b.kind).applyOrder
