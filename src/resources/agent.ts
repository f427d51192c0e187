import * as z from 'zod'
import { conditionsSchema } from './status.ts'

export const agentSpec = z.strictObject({
  paused: z
    .boolean()
    .optional()
    .describe('True: the agent reports, and changes nothing on its machine.'),
  drained: z
    .boolean()
    .optional()
    .describe('True: its stagelets keep the revision that they have; none new is rolled out there.')
    .meta({ column: { name: 'Drained', priority: 1 } }),
})

export const agentStatus = z.strictObject({
  observedGeneration: z
    .int()
    .optional()
    .describe('metadata.generation that this status was judged from.'),
  version: z.string().optional().describe('Stagely version of the agent.'),
  engineVersion: z.string().optional().describe('Docker Engine version.'),
  composeVersion: z.string().optional().describe('Docker Compose version.'),
  lastSeen: z.string().optional().describe('When the agent last connected or left.'),
  lastLost: z
    .string()
    .optional()
    .describe(
      'When the agent was last seen before it was away. What it reported until then is not known to be so since.',
    ),
  keysRotatedAt: z.string().optional().describe('When the agent last registered new keys.'),
  keyFingerprint: z
    .string()
    .optional()
    .describe('Names the public keys that the agent has registered, as the audit log names them.'),
  keyRotation: z
    .string()
    .optional()
    .describe('Value of the annotation stagely.dev/rotate-keys that was last followed.'),
  clockSkewMs: z
    .int()
    .optional()
    .describe('Agent’s clock minus controller’s, in milliseconds, at the last connect.'),
  conditions: conditionsSchema,
})

export type AgentSpec = z.infer<typeof agentSpec>
export type AgentStatus = z.infer<typeof agentStatus>
