// The one table of kinds. API paths, CRDs, OpenAPI, validation, defaults and printer columns are
// derived from it; the names are in kind-names.ts.
import type * as z from 'zod'
import { accessPolicySpec, accessPolicyStatus } from './access-policy/schema.ts'
import { accessRequestSpec, accessRequestStatus } from './access-request/schema.ts'
import { agentSpec, agentStatus } from './agent/schema.ts'
import type { PrinterColumn } from '../resources/columns.ts'
import { kindColumns } from './columns.ts'
import { eventSpec, namespaceSpec, namespaceStatus } from './event/schema.ts'
import { kindNames, type KindNames } from '../resources/kind-names.ts'
import { notifierSpec, notifierStatus } from './notifier/schema.ts'
import { observationSpec } from './observation/schema.ts'
import { projectSpec, projectStatus } from './project/schema.ts'
import { rotationSpec, rotationStatus } from './rotation/schema.ts'
import { secretStoreSpec, secretStoreStatus } from './secret-store/schema.ts'
import { trustedIssuerSpec, trustedIssuerStatus } from './trusted-issuer/schema.ts'
import { stageletSpec, stageletStatus } from './stagelet/schema.ts'
import { secretSpec, secretStatus } from './secret/schema.ts'

interface Schemas {
  readonly spec: z.ZodType
  readonly status?: z.ZodType
}

export interface Kind extends KindNames, Schemas {
  readonly columns: readonly PrinterColumn[]
}

const schemas: Readonly<Record<string, Schemas>> = {
  Namespace: { spec: namespaceSpec, status: namespaceStatus },
  Project: { spec: projectSpec, status: projectStatus },
  Agent: { spec: agentSpec, status: agentStatus },
  StagelySecret: { spec: secretSpec, status: secretStatus },
  Stagelet: { spec: stageletSpec, status: stageletStatus },
  Notifier: { spec: notifierSpec, status: notifierStatus },
  Rotation: { spec: rotationSpec, status: rotationStatus },
  SecretStore: { spec: secretStoreSpec, status: secretStoreStatus },
  TrustedIssuer: { spec: trustedIssuerSpec, status: trustedIssuerStatus },
  AccessPolicy: { spec: accessPolicySpec, status: accessPolicyStatus },
  AccessRequest: { spec: accessRequestSpec, status: accessRequestStatus },
  Event: { spec: eventSpec },
  Observation: { spec: observationSpec },
}

const columns: Readonly<Record<string, readonly PrinterColumn[]>> = kindColumns

const kindOf = (names: KindNames): Kind => {
  const own = schemas[names.kind]
  if (own === undefined) throw new Error(`${names.kind} has no schemas`)
  return { ...names, ...own, columns: columns[names.kind] ?? [] }
}

export const kinds: readonly Kind[] = kindNames.map(kindOf)

const byKind = new Map(kinds.map((k) => [k.kind, k]))

export const findKind = (kind: string): Kind | undefined => byKind.get(kind)

/** The kind's entry. Throws for an unknown kind, which is a fault of the code. */
export const requireKind = (kind: string): Kind => {
  const found = byKind.get(kind)
  if (found === undefined) throw new Error(`no such kind: ${kind}`)
  return found
}
