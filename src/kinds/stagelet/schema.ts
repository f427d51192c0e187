import * as z from 'zod'
import { lifetime } from '../../resources/duration.ts'
import { count, digestText, limits, message, name, instant, word } from '../../resources/limits.ts'
import { composeSpec } from './compose.ts'
import { environmentName } from '../shared/environment.ts'
import { quarantined } from '../observation/schema.ts'
import { conditionsSchema, refSchema } from '../../resources/schema-parts.ts'

export const stageletSpec = z.strictObject({
  projectRef: refSchema('Project').describe('The project whose secrets the stack gets.'),
  agentRef: refSchema('Agent').describe('The agent that runs the stack.'),
  environment: environmentName
    .optional()
    .describe(
      'Environment of the project that the stack is in. It sees the secrets of this environment, before those of the whole project.',
    ),
  compose: composeSpec.describe('The stack: one Compose project on one machine.'),
  paused: z.boolean().optional().describe('True: the agent reports, and changes nothing.'),
  deletionPolicy: z
    .enum(['Retain', 'Down'])
    .default('Retain')
    .describe('On deletion: Retain leaves the containers running, Down takes the stack down.'),
  deleteVolumes: z
    .boolean()
    .optional()
    .describe(
      'True: with deletionPolicy Down the volumes of the Compose project go too. Their data is lost.',
    ),
  address: z
    .string()
    .max(limits.path)
    .regex(/^https?:\/\//, 'must begin with http:// or https://')
    .optional()
    .describe('Where people find the stack. When absent, the ports that its services publish.'),
  ttl: lifetime
    .optional()
    .describe(
      'How long the stagelet lives after its last deploy or change, such as 72h; at least 10m. Then it is deleted, as deletionPolicy says; people are warned 24 h and 1 h before.',
    ),
})

/** Fields that can only be known from the containers. */
const seenOfService = {
  runningDigest: digestText.optional().describe('Digest label read from its containers.'),
  revision: count.optional().describe('Newest revision that the running digest is known to match.'),
  state: word
    .optional()
    .describe(
      'running, restarting, paused, exited, completed, created, missing or scaledToZero; unknown while nobody can observe the service.',
    ),
  health: word.optional().describe('healthy, unhealthy, starting; absent without a health check.'),
  restarts: count.optional().describe('Restart count that the engine reports.'),
  containers: count.optional().describe('Number of containers of the service.'),
  oneOffs: count
    .optional()
    .describe(
      'How many containers of "compose run" have other secrets than the service should; absent for none.',
    ),
  exitCode: z
    .int()
    .min(-2_147_483_648)
    .optional()
    .describe('Exit code of its container, where that has ended.'),
  since: instant.optional().describe('When the newest container started.'),
  ports: z
    .array(name)
    .max(limits.sharing)
    .optional()
    .describe(
      'Ports of the machine that its containers publish, such as 20001/tcp, or 127.0.0.1:20001/tcp.',
    ),
  healthySince: instant
    .optional()
    .describe(
      'When its health check, or that of the last of several containers, first passed; absent without one, and where the engine does not say it any more.',
    ),
}

const seenAt = instant
  .optional()
  .describe('When the agent was last seen; absent where that is not known.')

const serviceStatus = z.strictObject({
  name: name.describe('Compose service.'),
  wantedDigest: digestText
    .optional()
    .describe('Digest of what the service should have; absent when it sees no secret.'),
  ...seenOfService,
  keys: z
    .array(name)
    .max(limits.keys)
    .optional()
    .describe('Keys of the secrets that the service sees. Never values.'),
  sharesWith: z
    .array(name)
    .max(limits.sharing)
    .optional()
    .describe(
      'Services with which the service shares a namespace or volumes. It is re-created together with them.',
    ),
  composeKeys: z
    .array(name)
    .max(limits.keys)
    .optional()
    .describe(
      'Names of variables that the compose file or an env_file sets; a secret of the same key wins.',
    ),
  lastSeen: z
    .strictObject({ at: seenAt, ...seenOfService })
    .optional()
    .describe('State of the service when it was last observed; only while the state is unknown.'),
})

const rolloutStatus = z.strictObject({
  revision: count.describe('Revision that was rolled out.'),
  result: z
    .enum(['Progressing', 'Healthy', 'Failed', 'RolledBack'])
    .describe('Result. RolledBack: healthy again with an earlier revision.'),
  cause: z
    .enum(['NewRevision', 'ComposeFile', 'Drift'])
    .optional()
    .describe(
      'Cause: a new revision, an edit of the compose file, or containers that were changed from outside.',
    ),
  startedAt: instant.optional().describe('When the agent began the rollout.'),
  finishedAt: instant.optional().describe('When the health gate passed or failed.'),
  recreated: z
    .array(name)
    .max(limits.services)
    .optional()
    .describe('Services that got a new container.'),
  cascaded: z
    .array(name)
    .max(limits.services)
    .optional()
    .describe(
      'Services that see no change, and were re-created along with a service that they share a namespace or volumes with, or depend on, or restarted after it (`restart: true`).',
    ),
  service: name.optional().describe('The service that failed.'),
  message: message
    .optional()
    .describe('What happened. After a failure with the last log lines, masked.'),
  closedAt: instant
    .optional()
    .describe('When the revision was closed; only of a new revision, and where it was the newest.'),
  heldBy: word
    .optional()
    .describe(
      'What had kept the revision from the stagelet, such as Paused or AgentAway, or FirstRollout: its times say nothing about speed.',
    ),
  times: z
    .strictObject({
      toldMs: count.describe('From the closing of the revision until the agent was told, in ms.'),
      startedMs: count.describe('From then until Compose began, in ms.'),
      healthyMs: count.describe(
        'From then until the last new container was healthy, in ms; without a health check, until its gate passed.',
      ),
      provenMs: count.describe(
        'From then until the labels of all containers were read and the report stored, in ms.',
      ),
    })
    .optional()
    .describe(
      'How long the revision took, stage by stage; only of a new revision that is healthy.',
    ),
})

export const stageletStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  endsAt: instant
    .optional()
    .describe('When the stagelet is deleted; only with spec.ttl. An extension puts it off.'),
  wantedRevision: count.optional().describe('Revision that the agent is told to run.'),
  wantedSince: instant.optional().describe('When the agent was first told so.'),
  project: z
    .strictObject({
      uid: word.describe('metadata.uid of the Project.'),
      since: instant.describe(
        'Creation time of the Project. A deleted Project and its successor have two times.',
      ),
    })
    .optional()
    .describe('The Project that wantedRevision is a revision of.'),
  admitted: z
    .strictObject({
      revision: count.describe('Newest revision that the stagelet may have.'),
      project: word.optional().describe('metadata.uid of the Project whose revision it is.'),
      at: instant.describe('When the stagelet got the revision. Its time limit begins then.'),
      retry: z
        .string()
        .max(limits.annotation)
        .describe('Value of the retry annotation at that time.'),
    })
    .optional()
    .describe('Newest revision that the rollout of the project permits; only with spec.rollout.'),
  firstRevision: count
    .optional()
    .describe(
      'First revision that the stagelet was told to run, while it was healthy with none and is to run a newer one.',
    ),
  healthyRevision: count
    .optional()
    .describe(
      'Last revision with which every service passed its health gate. A failed revision is rolled back to this one.',
    ),
  healthyAgent: name
    .optional()
    .describe('The agent that has seen it. Another one is not sent that revision.'),
  quarantine: z
    .array(quarantined)
    .max(limits.listed)
    .optional()
    .describe(
      'Services that failed their health gate. Each is not started again with the same secrets before a retry.',
    ),
  runningRevision: count.optional().describe('Newest revision that every container runs.'),
  pausedSince: instant
    .optional()
    .describe('When the controller noticed that spec.paused is true; only while it is.'),
  deployed: z
    .string()
    .max(limits.annotation)
    .optional()
    .describe('Value of the annotation stagely.dev/redeploy that the agent has followed.'),
  composeProject: name.optional().describe('Compose project name in use.'),
  services: z
    .array(serviceStatus)
    .max(limits.services)
    .optional()
    .describe('Services of the stack, as observed.'),
  lastReportAt: instant
    .optional()
    .describe('When the agent last reported something new of the stagelet.'),
  unmountedFiles: z
    .array(name)
    .max(limits.keys)
    .optional()
    .describe('Keys of the file secrets that no service mounts.'),
  strayServices: z
    .array(name)
    .max(limits.services)
    .optional()
    .describe(
      'Services that the compose files do not name, such as one that was renamed, of which a container runs on with secrets that are not those of now.',
    ),
  endedContainers: z
    .array(name)
    .max(20)
    .optional()
    .describe(
      'Containers of "compose run", or of services that are gone, which have ended and have other secrets than those of now; the first 20. They run with them where somebody starts them again.',
    ),
  lastSeen: z
    .strictObject({
      at: seenAt,
      revision: count.optional().describe('Newest revision that every container ran at that time.'),
      conditions: z
        .array(
          z.strictObject({
            type: word.describe('Type of the condition.'),
            status: z
              .enum(['True', 'False', 'Unknown'])
              .describe('Status of the condition at that time.'),
            reason: word.describe('Reason of the condition at that time.'),
            message: z
              .string()
              .max(limits.conditionMessage)
              .describe('Message of the condition at that time.'),
          }),
        )
        .max(limits.conditions)
        .describe('Conditions that are unknown now, with their last known status.'),
    })
    .optional()
    .describe('State of the stagelet when it was last observed; only while nobody can observe it.'),
  held: z
    .strictObject({
      revision: count.describe('Newest closed revision.'),
      because: word.describe('Why, such as Paused, AgentDrained or AgentAway.'),
    })
    .optional()
    .describe(
      'What keeps the newest revision from the stagelet, or kept it until the present rollout.',
    ),
  lastRollout: rolloutStatus.optional().describe('The last rollout on the agent.'),
  conditions: conditionsSchema,
})

export type StageletSpec = z.infer<typeof stageletSpec>
export type StageletStatus = z.infer<typeof stageletStatus>
export type ServiceStatus = z.infer<typeof serviceStatus>
export type LastSeen = NonNullable<StageletStatus['lastSeen']>
export type RolloutStatus = z.infer<typeof rolloutStatus>
