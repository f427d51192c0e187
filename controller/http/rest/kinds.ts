// How the REST API shows each kind. A field is shown and accepted by its name in snake case; this file
// lists the exceptions. A new field of a kind needs no change here.
import * as z from 'zod'
import { agentSpec, agentStatus, type AgentStatus } from '../../../src/resources/agent.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { minPatternBytes } from '../../../src/masking/patterns.ts'
import { projectSpec, projectStatus } from '../../../src/resources/project.ts'
import { fieldsOf, hidden, type RestField } from '../../../src/resources/rest-fields.ts'
import { secretFields } from '../../../src/resources/secret-fields.ts'
import {
  stageletSpec,
  stageletStatus,
  type ServiceStatus,
  type StageletSpec,
} from '../../../src/resources/stagelet.ts'
import {
  secretStatus,
  type SecretSpec,
  type SecretStatus,
} from '../../../src/resources/stagelysecret.ts'
import type { NamedEntry } from '../../../src/store/history/set-diff.ts'
import { idOf, renderId } from './ids.ts'
import { conditions, conditionsOf, source, sourceOf, time } from './representations.ts'
import { answerOf, answerShape, computed } from './shapes.ts'

/** Fields of every status that answers do not have; conditions are shown as `conditions`. */
export const ofEveryStatus = { observedGeneration: hidden, conditions: hidden } as const

const created_at = computed(time, ({ metadata }: KubeObject) => metadata.creationTimestamp ?? '')
const ofSource = computed(source, sourceOf)
const ofConditions = computed(conditions, conditionsOf)
const ofName = computed(z.string(), ({ metadata }: KubeObject) => metadata.name)
const ofTeam = computed(
  z.string().describe('The team (namespace) that it belongs to.'),
  ({ metadata }: KubeObject) => metadata.namespace ?? '',
)
const idWith = (description: string): z.ZodString =>
  computed(z.string().describe(description), idOf)

type Fields = Readonly<Record<string, z.ZodType>>

/** The fields of every object, with a kind's fields in between. */
export const objectShape = (prefix: string, shape: Fields): Record<string, z.ZodType> => ({
  id: idWith(`\`${prefix}_…\`; paths take it, and \`team/name\` as well.`),
  name: ofName,
  team: ofTeam,
  ...shape,
  source: ofSource,
  created_at,
  conditions: ofConditions,
})

/** A schema with some of the fields of an answer. */
const part = ({ shape }: { readonly shape: Fields }, names: readonly string[]): z.ZodObject =>
  z.strictObject(Object.fromEntries(names.map((name) => [name, shape[name]!])))

export const teamSchema = z
  .strictObject({ name: ofName, created_at, conditions: ofConditions })
  .describe('A team: a namespace.')
export const toTeam = answerOf(teamSchema)

export const projectFields: readonly RestField[] = fieldsOf(projectSpec, {})

export const projectSchema = z
  .strictObject(
    objectShape('proj', {
      ...answerShape(projectFields, ['spec']),
      ...answerShape(
        fieldsOf(projectStatus, {
          ...ofEveryStatus,
          revision: { absent: 0 },
          secrets: { absent: 0 },
          stagelets: hidden,
          rollout: hidden, // the rollout has its own routes
        }),
        ['status'],
      ),
    }),
  )
  .describe('A set of secrets and the stacks that get them.')
export const toProject = answerOf(projectSchema)

export const agentFields: readonly RestField[] = fieldsOf(agentSpec, {
  paused: { absent: false },
  drained: { absent: false },
})

/** An agent notes when it connects and when it is lost. */
const connectedSince = computed(
  time.optional().describe('When it connected; only while it is connected.'),
  (agent: KubeObject) => {
    const ready = conditionsOf(agent).find(({ type }) => type === 'Ready')
    const status = agent.status as AgentStatus | undefined
    return ready?.status === 'True' ? status?.lastSeen : undefined
  },
)

const { source: _, ...agentShape } = objectShape('agt', {
  ...answerShape(agentFields, ['spec']),
  connected_since: connectedSince,
  ...answerShape(
    fieldsOf(agentStatus, {
      ...ofEveryStatus,
      keyFingerprint: hidden,
      keyRotation: hidden,
    }),
    ['status'],
  ),
})
export const agentSchema = z.strictObject(agentShape).describe('A machine that runs stacks.')
export const toAgent = answerOf(agentSchema)

export const stageletFields: readonly RestField[] = fieldsOf(stageletSpec, {
  paused: { absent: false },
  deletionPolicy: hidden,
  deleteVolumes: hidden,
})

const stageletStatusFields = fieldsOf(stageletStatus, {
  ...ofEveryStatus,
  project: hidden,
  admitted: hidden,
  quarantine: { absent: [], fields: { digest: hidden, retry: hidden } },
  composeProject: hidden,
  unmountedFiles: hidden,
  services: {
    absent: [],
    fields: {
      wantedDigest: hidden,
      runningDigest: hidden,
      lastSeen: { fields: { runningDigest: hidden } },
    },
  },
})

const inSync = computed(
  z
    .boolean()
    .optional()
    .describe('It runs exactly the secrets that it should. Absent while nobody sees it.'),
  ({ state, wantedDigest = '', runningDigest = '' }: ServiceStatus) =>
    state === 'unknown' ? undefined : wantedDigest === runningDigest,
)

const directory = computed(
  z.string().describe('As `compose.directory`.'),
  ({ spec }: KubeObject<StageletSpec>) => spec?.compose.directory ?? '',
)

const drift = computed(
  z
    .string()
    .optional()
    .describe(
      'What was changed from outside, as the condition `Drifted` says; absent for nothing.',
    ),
  (stagelet: KubeObject) => {
    const drifted = conditionsOf(stagelet).find(({ type }) => type === 'Drifted')
    return drifted?.status === 'True' ? drifted.message : undefined
  },
)

export const stageletSchema = z
  .strictObject(
    objectShape('stg', {
      ...answerShape(stageletFields, ['spec']),
      directory,
      drift,
      ...answerShape(stageletStatusFields, ['status'], { services: { in_sync: inSync } }),
    }),
  )
  .describe('One deployed environment: one Compose project on one machine.')
export const toStagelet = answerOf(stageletSchema)

const updated_at = computed(time, (secret: KubeObject<unknown, SecretStatus>) => {
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
  warnings: computed(
    z
      .array(z.enum(['unmaskable', 'unknown_scope', 'unseen']))
      .describe(
        'unmaskable: too short to be masked in logs; unknown_scope: no service has this name; unseen: no service sees it.',
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
  ...['id', 'name', 'key', 'scope', 'stagelet', 'audience', 'type', 'references', 'refers_to'],
  'version',
  ...[
    'bytes',
    'updated_at',
    'updated_by',
    'expires_at',
    'rotation_due_at',
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
  audience: ofAudience,
})

/** A secret with its present version. */
export const storedSecretSchema = part(fullSecretSchema, ['id', 'name', 'key', 'scope', 'version'])
export const toStored = answerOf(storedSecretSchema)
