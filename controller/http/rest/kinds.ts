// How the REST API shows each kind. A field is shown and accepted by its name in snake case; this file
// lists the exceptions. A new field of a kind needs no change here.
import * as z from 'zod'
import { agentSpec, agentStatus } from '../../../src/kinds/agent/schema.ts'
import { named, type RestKindName } from '../../../src/kinds/names.ts'
import { previewLabel, type KubeObject } from '../../../src/resources/meta.ts'
import { projectSpec, projectStatus } from '../../../src/kinds/project/schema.ts'
import { fieldsOf, hidden, type RestField } from '../../../src/resources/schemas/rest-fields.ts'
import {
  stageletSpec,
  stageletStatus,
  type ServiceStatus,
  type StageletSpec,
} from '../../../src/kinds/stagelet/schema.ts'
import { addressesOf } from '../../../src/kinds/stagelet/address.ts'
import { ofKind, statusOf } from '../../../src/kinds/typed.ts'
import { idOf } from './ids.ts'
import { conditions, restConditionsOf, source, sourceOf, timeSchema } from './representations.ts'
import { answerOf, answerShape, computed } from './shapes.ts'

/** Fields of every status that answers do not have; conditions are shown as `conditions`. */
export const ofEveryStatus = { observedGeneration: hidden, conditions: hidden } as const

export const created_at = computed(
  timeSchema,
  ({ metadata }: KubeObject) => metadata.creationTimestamp ?? '',
)
export const ofSource = computed(source, sourceOf)
export const ofConditions = computed(conditions, restConditionsOf)
export const ofName = computed(z.string(), ({ metadata }: KubeObject) => metadata.name)
export const ofTeam = computed(
  z.string().describe('The team (namespace) that it belongs to.'),
  ({ metadata }: KubeObject) => metadata.namespace ?? '',
)
export const idWith = (description: string): z.ZodString =>
  computed(z.string().describe(description), idOf)

type Fields = Readonly<Record<string, z.ZodType>>

/** The fields of every object, with a kind's fields in between. */
export const objectShape = (kind: RestKindName, shape: Fields): Record<string, z.ZodType> => ({
  id: idWith(`\`${named[kind].rest.id}_…\`; paths take it, and \`team/name\` as well.`),
  name: ofName,
  team: ofTeam,
  ...shape,
  source: ofSource,
  created_at,
  conditions: ofConditions,
})

/** A schema with some of the fields of an answer. */
export const part = (
  { shape }: { readonly shape: Fields },
  names: readonly string[],
): z.ZodObject => z.strictObject(Object.fromEntries(names.map((name) => [name, shape[name]!])))

export const teamSchema = z
  .strictObject({ name: ofName, created_at, conditions: ofConditions })
  .describe('A team: a namespace.')
export const toTeam = answerOf(teamSchema)

export const projectFields: readonly RestField[] = fieldsOf(projectSpec, {})

export const projectSchema = z
  .strictObject(
    objectShape('Project', {
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
  timeSchema.optional().describe('When it connected; only while it is connected.'),
  (agent: KubeObject) => {
    const ready = restConditionsOf(agent).find(({ type }) => type === 'Ready')
    return ready?.status === 'True' ? statusOf('Agent', agent).lastSeen : undefined
  },
)

const { source: _, ...agentShape } = objectShape('Agent', {
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
})

const stageletStatusFields = fieldsOf(stageletStatus, {
  ...ofEveryStatus,
  project: hidden,
  admitted: hidden,
  quarantine: { absent: [], fields: { digest: hidden, retry: hidden } },
  composeProject: hidden,
  deployed: hidden,
  unmountedFiles: hidden,
  strayServices: hidden,
  endedContainers: hidden,
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
    const drifted = restConditionsOf(stagelet).find(({ type }) => type === 'Drifted')
    return drifted?.status === 'True' ? drifted.message : undefined
  },
)

const deletingSince = computed(
  timeSchema.optional().describe('When somebody deleted it; only while it waits for its agent.'),
  ({ metadata }: KubeObject) => metadata.deletionTimestamp,
)

const preview = computed(
  z.string().optional().describe('Its name as a preview of its project; absent where it is none.'),
  ({ metadata }: KubeObject) => metadata.labels?.[previewLabel],
)

const addresses = computed(
  z
    .array(z.string())
    .optional()
    .describe(
      'Where people find it: `address`, or else the ports that its services publish, on a host with the name of its agent. Absent for none.',
    ),
  (stagelet: KubeObject) => {
    const found = addressesOf(ofKind('Stagelet', stagelet))
    return found.length === 0 ? undefined : found
  },
)

export const stageletSchema = z
  .strictObject(
    objectShape('Stagelet', {
      ...answerShape(stageletFields, ['spec']),
      directory,
      drift,
      preview,
      addresses,
      deleting_since: deletingSince,
      ...answerShape(stageletStatusFields, ['status'], { services: { in_sync: inSync } }),
    }),
  )
  .describe('One deployed environment: one Compose project on one machine.')
export const toStagelet = answerOf(stageletSchema)
