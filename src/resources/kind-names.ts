// The names of all kinds, and how the API addresses them. Without schemas: most commands need no more.
import { apiGroup } from './meta.ts'

export interface KindNames {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly description: string
  /** Text fields that a field selector may name, besides name and namespace. */
  readonly selectableFields?: readonly string[]
  /** True: stored only, never served by the API. */
  readonly internal?: boolean
  /** True: people make it by the API alone. No folder and no cluster holds one. */
  readonly ofApiAlone?: true
  /** Order in which kinds are created when they are applied together; reversed for deletion. */
  readonly applyOrder: number
}

const stagely = {
  group: apiGroup,
  version: 'v1alpha1',
  categories: ['stagely', 'all'],
  namespaced: true,
}

export const kindNames: readonly KindNames[] = [
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
    applyOrder: 0,
  },
  {
    ...stagely,
    kind: 'Project',
    plural: 'projects',
    singular: 'project',
    shortNames: ['proj'],
    description: 'A set of secrets and the stacks that get them.',
    applyOrder: 1,
  },
  {
    ...stagely,
    kind: 'Agent',
    plural: 'agents',
    singular: 'agent',
    shortNames: ['agt'],
    description: 'A machine that runs stacks.',
    applyOrder: 2,
  },
  {
    ...stagely,
    kind: 'StagelySecret',
    plural: 'stagelysecrets',
    singular: 'stagelysecret',
    shortNames: ['ssec'],
    description: 'One secret of a project. Its value is write-only.',
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
    applyOrder: 2,
  },
  {
    ...stagely,
    kind: 'TrustedIssuer',
    plural: 'trustedissuers',
    singular: 'trustedissuer',
    shortNames: ['issuer'],
    description: 'Lets jobs of a CI log in by the tokens that it gives them.',
    applyOrder: 5,
  },
  {
    ...stagely,
    kind: 'AccessPolicy',
    plural: 'accesspolicies',
    singular: 'accesspolicy',
    shortNames: ['apol'],
    description: 'Says who reads values of projects only by a request that others approve.',
    applyOrder: 2,
  },
  {
    ...stagely,
    kind: 'AccessRequest',
    plural: 'accessrequests',
    singular: 'accessrequest',
    shortNames: ['areq'],
    // Only some may list them: a list of a category would fail for the others.
    categories: [],
    description: 'A person asks to read guarded values for a while. Its spec never changes.',
    selectableFields: ['spec.projectRef.name'],
    ofApiAlone: true,
    applyOrder: 9,
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
    internal: true,
    applyOrder: 9,
  },
]

export const apiVersionOf = (kind: KindNames): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`

/** Base path of the API of its group. */
export const apiPathOf = ({ group, version }: KindNames): string =>
  group === '' ? `/api/${version}` : `/apis/${group}/${version}`

/** `stagelets.stagely.dev`, `namespaces`: the resource's name in error messages. */
export const resourceNameOf = (kind: KindNames): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
