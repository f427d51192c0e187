// How the REST API shows a secret, its state and its warnings; its value is write-only.
import * as z from 'zod'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { minPatternBytes } from '../../../src/masking/min-pattern-bytes.ts'
import { fieldsOf, hidden } from '../../../src/resources/schemas/rest-fields.ts'
import { secretFields } from '../../../src/kinds/secret/rest-fields.ts'
import {
  secretStatus,
  type SecretSpec,
  type SecretStatus,
} from '../../../src/kinds/secret/schema.ts'
import { dueCauses, dueOf } from '../../../src/kinds/secret/expiry-status.ts'
import type { NamedEntry } from '../../../src/store/core/set-diff.ts'
import { renderId } from './ids.ts'
import {
  created_at,
  idWith,
  ofConditions,
  ofEveryStatus,
  ofName,
  ofSource,
  ofTeam,
  part,
} from './kinds.ts'
import { timeSchema } from './representations.ts'
import { answerOf, answerShape, computed } from './shapes.ts'

const updated_at = computed(timeSchema, (secret: KubeObject<unknown, SecretStatus>) => {
  const { status, metadata } = secret
  return status?.updatedAt ?? metadata.creationTimestamp ?? ''
})
/** The answer to a create. */
export const createdSecretSchema = z.strictObject({
  id: idWith('`sec_…`'),
  ...answerShape(secretFields, ['spec']),
  created_at,
})
export const toCreated = answerOf(createdSecretSchema)

/** A secret in a list. */
export const secretSchema = createdSecretSchema
  .extend({ updated_at })
  .describe('One secret of a project. Its value is write-only.')
export const toSecret = answerOf(secretSchema)

/** The answer to an update. */
export const updatedSecretSchema = part(secretSchema, ['id', 'key', 'scope', 'updated_at'])
export const toUpdated = answerOf(updatedSecretSchema)

type Secret = KubeObject<SecretSpec, SecretStatus>

export const secretStates = ['in_sync', 'behind', 'unknown', 'unseen', 'no_value'] as const

export const secretState = ({ status }: Secret): (typeof secretStates)[number] => {
  const sync = findCondition(status?.conditions, 'InSync')
  if (status?.version === undefined) return 'no_value'
  if (sync?.reason === 'NoConsumers' || sync?.reason === 'ForController') return 'unseen'
  if (sync === undefined || sync.status === 'Unknown') return 'unknown'
  return sync.status === 'True' ? 'in_sync' : 'behind'
}

/** A template is masked by its finished value, whose length is not known here. */
const isUnmaskable = ({ spec, status: { bytes = 0 } = {} }: Secret): boolean =>
  spec?.audience !== 'Controller' &&
  spec?.visibility !== 'Plain' &&
  spec?.references !== true &&
  bytes > 0 &&
  bytes < minPatternBytes

const warningsOf = (secret: Secret): ('unmaskable' | 'unknown_scope' | 'unseen')[] => [
  ...(isUnmaskable(secret) ? (['unmaskable'] as const) : []),
  ...(findCondition(secret.status?.conditions, 'ScopeMatched')?.status === 'False'
    ? (['unknown_scope'] as const)
    : []),
  ...(secretState(secret) === 'unseen' && secret.spec?.audience !== 'Controller'
    ? (['unseen'] as const)
    : []),
]

const syncShape = {
  refers_to: computed(
    z.array(z.string()).describe('What its value refers to, with `references`.'),
    ({ status }: Secret) => [...(status?.references ?? [])],
  ),
  state: computed(
    z
      .enum(secretStates)
      .describe(
        'Of its newest version; unseen: no service sees it; unknown: nobody is there to say.',
      ),
    secretState,
  ),
  in_sync: computed(
    z.boolean().optional().describe('Absent where no service sees it, or nobody is there to say.'),
    (secret: Secret) => {
      const state = secretState(secret)
      return state === 'unseen' || state === 'unknown' ? undefined : state === 'in_sync'
    },
  ),
  due: computed(
    z
      .strictObject({ at: timeSchema, why: z.enum(dueCauses) })
      .optional()
      .describe(
        'The first moment at which the value should be another one. leaked: found in a repository; revealed: somebody knows it, or may, who should not.',
      ),
    ({ status }: Secret) => dueOf(status ?? {}),
  ),
  warnings: computed(
    z
      .array(z.enum(['unmaskable', 'unknown_scope', 'unseen']))
      .describe(
        'unmaskable: too short to be masked in logs; unknown_scope: agents have reported services, and none of this name (`ScopeMatched` of `conditions` names the nearest); unseen: no service sees it.',
      ),
    warningsOf,
  ),
}

/** All fields of a secret. */
export const fullSecretSchema = z.strictObject({
  ...secretSchema.shape,
  name: ofName.describe('Name of its StagelySecret in the Kubernetes-style API.'),
  team: ofTeam,
  project: computed(z.string(), ({ spec }: KubeObject<SecretSpec>) => spec?.projectRef.name ?? ''),
  ...answerShape(
    fieldsOf(secretStatus, {
      ...ofEveryStatus,
      version: { absent: 0, description: 'Version of the stored value; 0 while there is none.' },
      updatedAt: hidden, // shown as `updated_at`
      references: { name: 'refers_to' }, // the name is used for the field of spec
      publicKey: hidden,
      rotated: hidden,
      serviceCount: { absent: 0 },
      services: { absent: [] },
    }),
    ['status'],
  ),
  ...syncShape,
  source: ofSource,
  conditions: ofConditions,
})
export const toFullSecret = answerOf(fullSecretSchema)

/** A row of a table of secrets. */
export const compactSecretSchema = part(fullSecretSchema, [
  ...['id', 'name', 'key', 'scope', 'stagelet', 'environments', 'audience', 'type'],
  ...['references', 'refers_to', 'visibility', 'value'],
  'version',
  ...[
    'bytes',
    'updated_at',
    'updated_by',
    'expires_at',
    'rotation_due_at',
    'known_outside',
    'due',
    'service_count',
    'state',
    'in_sync',
    'source',
    'warnings',
  ],
])
export const toCompactSecret = answerOf(compactSecretSchema)

export const ofAudience = z
  .literal('Controller')
  .optional()
  .describe('It is for the controller alone; absent for secrets of services.')

/** Names of a secret in a set; the secret may have been deleted. */
export const namedSecret = z.strictObject({
  id: computed(z.string(), ({ secretId }: NamedEntry) => renderId('StagelySecret', secretId)),
  name: z.string(),
  key: z.string(),
  scope: z.string(),
  stagelet: z.string().optional(),
  environments: z.array(z.string()).optional(),
  audience: ofAudience,
})

/** A secret with its present version. */
export const storedSecretSchema = part(fullSecretSchema, ['id', 'name', 'key', 'scope', 'version'])
export const toStoredSecret = answerOf(storedSecretSchema)
