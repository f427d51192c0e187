// The one table of kinds. API paths, CRDs, OpenAPI, validation, defaults and printer columns are
// derived from it.
import type * as z from 'zod'
import { agentSpec, agentStatus } from './kinds/agent.ts'
import type { PrinterColumn } from './columns.ts'
import { kindColumns } from './kinds/kind-columns.ts'
import { eventSpec, namespaceSpec, namespaceStatus } from './kinds/core.ts'
import { apiGroup } from './meta.ts'
import { notifierSpec, notifierStatus } from './kinds/notifier.ts'
import { observationSpec } from './kinds/observation.ts'
import { projectSpec, projectStatus } from './kinds/project.ts'
import { rotationSpec, rotationStatus } from './kinds/rotation.ts'
import { secretStoreSpec, secretStoreStatus } from './kinds/secret-store.ts'
import { trustedIssuerSpec, trustedIssuerStatus } from './kinds/trusted-issuer.ts'
import { stageletSpec, stageletStatus } from './kinds/stagelet.ts'
import { secretSpec, secretStatus } from './kinds/stagelysecret.ts'

export interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly description: string
  readonly spec: z.ZodType
  readonly status?: z.ZodType
  readonly columns: readonly PrinterColumn[]
  /** Text fields that a field selector may name, besides name and namespace. */
  readonly selectableFields?: readonly string[]
  /** True: stored only, never served by the API. */
  readonly internal?: boolean
  /** Order in which kinds are created when they are applied together; reversed for deletion. */
  readonly applyOrder: number
}

const stagely = {
  group: apiGroup,
  version: 'v1alpha1',
  categories: ['stagely', 'all'],
  namespaced: true,
}

export const kinds: readonly Kind[] = [
  {
    group: '',
    version: 'v1',
    kind: 'Namespace',
    plural: 'namespaces',
    singular: 'namespace',
    shortNames: ['ns'],
    categories: [],
    namespaced: false,
    description: 'A team: the border that access and names end at.',
    spec: namespaceSpec,
    status: namespaceStatus,
    columns: kindColumns.Namespace,
    applyOrder: 0,
  },
  {
    ...stagely,
    kind: 'Project',
    plural: 'projects',
    singular: 'project',
    shortNames: ['proj'],
    description: 'A set of secrets and the stacks that get them.',
    spec: projectSpec,
    status: projectStatus,
    columns: kindColumns.Project,
    applyOrder: 1,
  },
  {
    ...stagely,
    kind: 'Agent',
    plural: 'agents',
    singular: 'agent',
    shortNames: ['agt'],
    description: 'A machine that runs stacks.',
    spec: agentSpec,
    status: agentStatus,
    columns: kindColumns.Agent,
    applyOrder: 2,
  },
  {
    ...stagely,
    kind: 'StagelySecret',
    plural: 'stagelysecrets',
    singular: 'stagelysecret',
    shortNames: ['ssec'],
    description: 'One secret of a project. Its value is write-only.',
    spec: secretSpec,
    status: secretStatus,
    columns: kindColumns.StagelySecret,
    selectableFields: ['spec.projectRef.name', 'spec.key', 'spec.scope', 'spec.type'],
    applyOrder: 3,
  },
  {
    ...stagely,
    kind: 'Stagelet',
    plural: 'stagelets',
    singular: 'stagelet',
    shortNames: ['stg'],
    description: 'One deployed environment: one Compose project on one machine.',
    spec: stageletSpec,
    status: stageletStatus,
    columns: kindColumns.Stagelet,
    selectableFields: ['spec.projectRef.name', 'spec.agentRef.name'],
    applyOrder: 4,
  },
  {
    ...stagely,
    kind: 'Notifier',
    plural: 'notifiers',
    singular: 'notifier',
    shortNames: ['ntf'],
    description: 'Tells people what happened: by a webhook, in a chat, or by e-mail.',
    spec: notifierSpec,
    status: notifierStatus,
    columns: kindColumns.Notifier,
    applyOrder: 5,
  },
  {
    ...stagely,
    kind: 'Rotation',
    plural: 'rotations',
    singular: 'rotation',
    shortNames: ['rot'],
    description:
      'Changes a credential at its time, and ends the old one when nothing runs with it.',
    spec: rotationSpec,
    status: rotationStatus,
    columns: kindColumns.Rotation,
    selectableFields: ['spec.projectRef.name'],
    applyOrder: 5,
  },
  {
    ...stagely,
    kind: 'SecretStore',
    plural: 'secretstores',
    singular: 'secretstore',
    shortNames: ['store'],
    description: 'A store of secrets elsewhere, which the controller reads from.',
    spec: secretStoreSpec,
    status: secretStoreStatus,
    columns: kindColumns.SecretStore,
    applyOrder: 2,
  },
  {
    ...stagely,
    kind: 'TrustedIssuer',
    plural: 'trustedissuers',
    singular: 'trustedissuer',
    shortNames: ['issuer'],
    description: 'Lets jobs of a CI log in by the tokens that it gives them.',
    spec: trustedIssuerSpec,
    status: trustedIssuerStatus,
    columns: kindColumns.TrustedIssuer,
    applyOrder: 5,
  },
  {
    group: '',
    version: 'v1',
    kind: 'Event',
    plural: 'events',
    singular: 'event',
    shortNames: ['ev'],
    categories: [],
    namespaced: true,
    description: 'Something that happened to an object; kept for an hour.',
    spec: eventSpec,
    columns: kindColumns.Event,
    applyOrder: 9,
  },
  {
    ...stagely,
    kind: 'Observation',
    plural: 'observations',
    singular: 'observation',
    shortNames: [],
    categories: [],
    description: 'Last report of an agent on one stagelet.',
    spec: observationSpec,
    columns: [],
    internal: true,
    applyOrder: 9,
  },
]

const byKind = new Map(kinds.map((k) => [k.kind, k]))

export const findKind = (kind: string): Kind | undefined => byKind.get(kind)

/** The kind's entry. Throws for an unknown kind, which is a fault of the code. */
export const requireKind = (kind: string): Kind => {
  const found = byKind.get(kind)
  if (found === undefined) throw new Error(`no such kind: ${kind}`)
  return found
}

export const apiVersionOf = (kind: Kind): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`

/** Base path of the API of its group. */
export const apiPathOf = ({ group, version }: Kind): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`

/** `stagelets.stagely.dev`, `namespaces`: the resource's name in error messages. */
export const resourceNameOf = (kind: Kind): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
