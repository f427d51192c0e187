import * as z from 'zod'
import { composeSpec } from './compose-spec.ts'
import { quarantined } from './observation.ts'
import { conditionsSchema, refSchema } from './status.ts'

export const stageletSpec = z.strictObject({
  projectRef: refSchema('Project').describe('The project whose secrets the stack gets.'),
  agentRef: refSchema('Agent').describe('The agent that runs the stack.'),
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
})

/** Fields that can only be known from the containers. */
const seenOfService = {
  runningDigest: z.string().optional().describe('Digest label read from its containers.'),
  revision: z
    .int()
    .optional()
    .describe('Newest revision that the running digest is known to match.'),
  state: z
    .string()
    .optional()
    .describe(
      'running, restarting, paused, exited, completed, created, missing or scaledToZero; unknown while nobody can observe the service.',
    ),
  health: z
    .string()
    .optional()
    .describe('healthy, unhealthy, starting; absent without a health check.'),
  restarts: z.int().optional().describe('Restart count that the engine reports.'),
  containers: z.int().optional().describe('Number of containers of the service.'),
  oneOffs: z
    .int()
    .optional()
    .describe(
      'How many containers of "compose run" have other secrets than the service should; absent for none.',
    ),
  exitCode: z.int().optional().describe('Exit code of its container, where that has ended.'),
  since: z.string().optional().describe('When the newest container started.'),
  healthySince: z
    .string()
    .optional()
    .describe(
      'When its health check, or that of the last of several containers, first passed; absent without one, and where the engine does not say it any more.',
    ),
}

const seenAt = z
  .string()
  .optional()
  .describe('When the agent was last seen; absent where that is not known.')

const serviceStatus = z.strictObject({
  name: z.string().describe('Compose service.'),
  wantedDigest: z
    .string()
    .optional()
    .describe('Digest of what the service should have; absent when it sees no secret.'),
  ...seenOfService,
  keys: z
    .array(z.string())
    .optional()
    .describe('Keys of the secrets that the service sees. Never values.'),
  sharesWith: z
    .array(z.string())
    .optional()
    .describe(
      'Services with which the service shares a namespace or volumes. It is re-created together with them.',
    ),
  composeKeys: z
    .array(z.string())
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
  revision: z.int().describe('Revision that was rolled out.'),
  result: z
    .enum(['Progressing', 'Healthy', 'Failed', 'RolledBack'])
    .describe('Result. RolledBack: healthy again with an earlier revision.'),
  cause: z
    .enum(['NewRevision', 'ComposeFile', 'Drift'])
    .optional()
    .describe(
      'Cause: a new revision, an edit of the compose file, or containers that were changed from outside.',
    ),
  startedAt: z.string().optional().describe('When the agent began the rollout.'),
  finishedAt: z.string().optional().describe('When the health gate passed or failed.'),
  recreated: z.array(z.string()).optional().describe('Services that got a new container.'),
  cascaded: z
    .array(z.string())
    .optional()
    .describe(
      'Services that see no change, and were re-created along with a service that they share a namespace or volumes with, or depend on, or restarted after it (`restart: true`).',
    ),
  service: z.string().optional().describe('The service that failed.'),
  message: z
    .string()
    .optional()
    .describe('What happened. After a failure with the last log lines, masked.'),
  closedAt: z
    .string()
    .optional()
    .describe('When the revision was closed; only of a new revision, and where it was the newest.'),
  heldBy: z
    .string()
    .optional()
    .describe(
      'What had kept the revision from the stagelet, such as Paused or AgentAway, or FirstRollout: its times say nothing about speed.',
    ),
  times: z
    .strictObject({
      toldMs: z.int().describe('From the closing of the revision until the agent was told, in ms.'),
      startedMs: z.int().describe('From then until Compose began, in ms.'),
      healthyMs: z
        .int()
        .describe(
          'From then until the last new container was healthy, in ms; without a health check, until its gate passed.',
        ),
      provenMs: z
        .int()
        .describe(
          'From then until the labels of all containers were read and the report stored, in ms.',
        ),
    })
    .optional()
    .describe(
      'How long the revision took, stage by stage; only of a new revision that is healthy.',
    ),
})

export const stageletStatus = z.strictObject({
  observedGeneration: z
    .int()
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  wantedRevision: z.int().optional().describe('Revision that the agent is told to run.'),
  wantedSince: z.string().optional().describe('When the agent was first told so.'),
  project: z
    .strictObject({
      uid: z.string().describe('metadata.uid of the Project.'),
      since: z
        .string()
        .describe(
          'Creation time of the Project. A deleted Project and its successor have two times.',
        ),
    })
    .optional()
    .describe('The Project that wantedRevision is a revision of.'),
  admitted: z
    .strictObject({
      revision: z.int().describe('Newest revision that the stagelet may have.'),
      project: z.string().optional().describe('metadata.uid of the Project whose revision it is.'),
      at: z.string().describe('When the stagelet got the revision. Its time limit begins then.'),
      retry: z.string().describe('Value of the retry annotation at that time.'),
    })
    .optional()
    .describe('Newest revision that the rollout of the project permits; only with spec.rollout.'),
  healthyRevision: z
    .int()
    .optional()
    .describe(
      'Last revision with which every service passed its health gate. A failed revision is rolled back to this one.',
    ),
  quarantine: z
    .array(quarantined)
    .optional()
    .describe(
      'Services that failed their health gate. Each is not started again with the same secrets before a retry.',
    ),
  runningRevision: z.int().optional().describe('Newest revision that every container runs.'),
  pausedSince: z
    .string()
    .optional()
    .describe('When the controller noticed that spec.paused is true; only while it is.'),
  composeProject: z.string().optional().describe('Compose project name in use.'),
  services: z.array(serviceStatus).optional().describe('Services of the stack, as observed.'),
  lastReportAt: z
    .string()
    .optional()
    .describe('When the agent last reported something new of the stagelet.'),
  unmountedFiles: z
    .array(z.string())
    .optional()
    .describe('Keys of the file secrets that no service mounts.'),
  strayServices: z
    .array(z.string())
    .optional()
    .describe(
      'Services that the compose files do not name, such as one that was renamed, of which a container runs on with secrets that are not those of now.',
    ),
  lastSeen: z
    .strictObject({
      at: seenAt,
      revision: z
        .int()
        .optional()
        .describe('Newest revision that every container ran at that time.'),
      conditions: z
        .array(
          z.strictObject({
            type: z.string().describe('Type of the condition.'),
            status: z
              .enum(['True', 'False', 'Unknown'])
              .describe('Status of the condition at that time.'),
            reason: z.string().describe('Reason of the condition at that time.'),
            message: z.string().describe('Message of the condition at that time.'),
          }),
        )
        .describe('Conditions that are unknown now, with their last known status.'),
    })
    .optional()
    .describe('State of the stagelet when it was last observed; only while nobody can observe it.'),
  held: z
    .strictObject({
      revision: z.int().describe('Newest closed revision.'),
      because: z.string().describe('Why, such as Paused, AgentDrained or AgentAway.'),
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
