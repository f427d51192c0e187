// The kinds that have a form: where they are in REST, who may write them, and where one goes afterwards.
import type { FormKind } from '../../../src/kinds/names.ts'
import type { Resource } from '../../../src/access/roles.ts'
import { sendRequest } from '../../api/client.ts'
import type { ApiRequest } from '../../api/request.ts'
import type { Spec } from '../../actions/kinds.ts'
import {
  allIssuers,
  allNotifiers,
  allStores,
  projects,
  rotationsOf,
  stagelets,
} from '../../live/collections.ts'
import type { Known } from '../../live/known.ts'
import type { ChangeImpact } from '../../staging/staging.ts'
import { projectUrl, rotationsUrl, stageletUrl } from '../../ui/text/links.ts'
import { channelWords, reasonWords } from '../notifiers/data.ts'
import { providerWords } from '../stores/data.ts'
import type { Draft } from './values.ts'

/** What all objects have. The rest is read by the fields of the form. */
export interface FormObject {
  readonly id: string
  readonly team: string
  readonly name: string
  readonly source?: string
}

interface Place extends Pick<Draft, 'team' | 'name'> {
  readonly value: Spec
}

export interface EditableKind {
  readonly kind: FormKind
  /** In sentences: `stack`. */
  readonly word: string
  readonly resource: Resource
  /** Those that are known; of one project, where the kind has its objects there. */
  readonly list: (team: string, project: string) => Known<readonly FormObject[]>
  /** What follows from a change, where the controller computes no impact. */
  readonly effect: string
  /** Where its page is. */
  readonly next: (place: Place, isNew: boolean) => string
}

export const draftProject = ({ value }: Place): string =>
  typeof value['project'] === 'string' ? value['project'] : ''

const kinds: Readonly<Record<string, EditableKind>> = {
  project: {
    kind: 'Project',
    word: 'project',
    resource: 'projects',
    list: () => projects.list.value,
    effect: 'No container is re-created by this.',
    next: (place, isNew) => (isNew ? projectUrl(place) : `${projectUrl(place)}/settings`),
  },
  stack: {
    kind: 'Stagelet',
    word: 'stack',
    resource: 'stagelets',
    list: () => stagelets.list.value,
    effect:
      'The agent reads the Compose file in that folder, and starts what does not run yet with the secrets of the project.',
    next: stageletUrl,
  },
  store: {
    kind: 'SecretStore',
    word: 'store',
    resource: 'secretstores',
    list: () => allStores().list.value,
    effect: 'No container is re-created by this. Values that are new in the store come later.',
    next: () => '/ui/stores',
  },
  rotation: {
    kind: 'Rotation',
    word: 'rotation',
    resource: 'rotations',
    list: (team, project) => rotationsOf(team, project).list.value,
    effect:
      'No container is re-created by this. Each rotation re-creates the services that see the credential.',
    next: (place) => rotationsUrl({ team: place.team, name: draftProject(place) }),
  },
  notifier: {
    kind: 'Notifier',
    word: 'notifier',
    resource: 'notifiers',
    list: () => allNotifiers().list.value,
    effect: 'No container is re-created by this.',
    next: () => '/ui/notifiers',
  },
  issuer: {
    kind: 'TrustedIssuer',
    word: 'issuer',
    resource: 'trustedissuers',
    list: () => allIssuers().list.value,
    effect: 'No container is re-created by this. Tokens that jobs have got by it end.',
    next: ({ team }) => `/ui/t/${team}/tokens`,
  },
}

export const editableKind = (word: string): EditableKind | undefined => kinds[word]

/** Words for what can be chosen, by its name in REST. */
export const optionTexts: Readonly<Record<string, string>> = {
  ...reasonWords,
  ...channelWords,
  ...providerWords,
  one_password: providerWords.onePassword,
  aws_iam: 'AWS IAM',
  mariadb: 'MariaDB or MySQL',
  redis: 'Redis or Valkey',
  generate: 'A random value',
  in: 'In its container, by the agent',
  at: 'Over the network, by the controller',
  secret: 'A secret',
  identity: 'An identity of the controller',
}

/** The fields of a request: the project of a rotation is in the path. */
export const bodyOf = ({ kind }: EditableKind, value: Spec): Spec => {
  if (kind !== 'Rotation') return value
  const { project: _, ...body } = value
  return body
}

export interface WriteAnswer {
  readonly impact?: ChangeImpact
}

/** The dry run of a request that writes an object. */
export const tryRequest = (request: ApiRequest): Promise<WriteAnswer> =>
  sendRequest({ ...request, path: `${request.path}?dry_run=true` } as ApiRequest<WriteAnswer>)
