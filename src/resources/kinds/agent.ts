import * as z from 'zod'
import { count, limits, timeText, word } from '../limits.ts'
import { conditionsSchema } from './status.ts'

export const agentSpec = z.strictObject({
  paused: z
    .boolean()
    .optional()
    .describe('True: the agent reports, and changes nothing on its machine.'),
  drained: z
    .boolean()
    .optional()
    .describe('True: the stagelets of this agent keep their revision, and get no new one.'),
})

export const agentStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  version: word.optional().describe('Stagely version of the agent.'),
  engineVersion: word.optional().describe('Docker Engine version.'),
  composeVersion: word.optional().describe('Docker Compose version.'),
  lastSeen: timeText.optional().describe('When the agent last connected or disconnected.'),
  lastLost: timeText
    .optional()
    .describe(
      'When the controller last heard of the agent; only while the agent is away. What the agent reported may no longer be true.',
    ),
  pausedSince: timeText.optional().describe('Since when spec.paused is true.'),
  drainedSince: timeText.optional().describe('Since when spec.drained is true.'),
  keysRotatedAt: timeText.optional().describe('When the agent last registered new keys.'),
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
