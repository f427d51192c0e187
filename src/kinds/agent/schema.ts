import * as z from 'zod'
import { duration } from '../../resources/duration.ts'
import { count, limits, instant, word } from '../../resources/limits.ts'
import { conditionsSchema } from '../../resources/schema-parts.ts'

export const ephemeralSpec = z.strictObject({
  goneAfter: duration
    .default('10m')
    .describe('How long the agent may be away before it is ended; at least 1m.'),
})

export const agentSpec = z.strictObject({
  paused: z
    .boolean()
    .optional()
    .describe('True: the agent reports, and changes nothing on its machine.'),
  drained: z
    .boolean()
    .optional()
    .describe('True: the stagelets of this agent keep their revision, and get no new one.'),
  ephemeral: ephemeralSpec
    .optional()
    .describe(
      'The machine is meant to go. Away for too long, it is ended: the agent, its stagelets and their own secrets are deleted.',
    ),
})

export const agentStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  version: word.optional().describe('Stagely version of the agent.'),
  engineVersion: word.optional().describe('Docker Engine version.'),
  composeVersion: word.optional().describe('Docker Compose version.'),
  lastSeen: instant.optional().describe('When the agent last connected or disconnected.'),
  lastLost: instant
    .optional()
    .describe(
      'When the controller last heard of the agent; only while the agent is away. What the agent reported may no longer be true.',
    ),
  endedAt: instant
    .optional()
    .describe('When an ephemeral agent was ended; shown as it is deleted.'),
  pausedSince: instant.optional().describe('Since when spec.paused is true.'),
  drainedSince: instant.optional().describe('Since when spec.drained is true.'),
  keysRotatedAt: instant.optional().describe('When the agent last registered new keys.'),
  keyFingerprint: word
    .optional()
    .describe('Fingerprint of the public keys of the agent, as in the audit log.'),
  keyRotation: z
    .string()
    .max(limits.annotation)
    .optional()
    .describe('Value of the annotation stagely.dev/rotate-keys that was last followed.'),
  clockSkewMs: z
    .int()
    .min(-8_640_000_000_000_000)
    .optional()
    .describe(
      'Agent’s clock minus controller’s, in milliseconds, measured since the last connect; 0 where it is less than 50, as it cannot be measured better.',
    ),
  conditions: conditionsSchema,
})

export type AgentSpec = z.infer<typeof agentSpec>
export type AgentStatus = z.infer<typeof agentStatus>
