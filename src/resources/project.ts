import * as z from 'zod'
import { conditionsSchema } from './status.ts'

export const rolloutSpec = z.strictObject({
  maxConcurrent: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('How many stagelets take a new revision at a time; all of them when absent.'),
  progressDeadlineSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(600)
    .describe('A stagelet that is not healthy so long after it was told stops the rollout.'),
  onFailure: z
    .enum(['Stop'])
    .default('Stop')
    .describe('What a stagelet that fails or is late does: Stop starts no further one.'),
  paused: z
    .boolean()
    .optional()
    .describe('True: no stagelet is told of a new revision; what has begun goes on.'),
})

export const projectSpec = z.strictObject({
  description: z.string().max(1024).optional().describe('What the project is, for people.'),
  keyProvider: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and "-"')
    .max(63)
    .optional()
    .describe(
      "Name of a key of the controller's configuration that wraps the keys of this project; when absent, the master key does. A change seals every value anew and restarts nothing.",
    ),
  rollout: rolloutSpec
    .optional()
    .describe('How a new revision goes to the stagelets; when absent, to all of them at once.'),
})

const stageletCounts = z.strictObject({
  total: z.int().describe('Stagelets of the project.'),
  inSync: z.int().describe('Those whose containers run exactly their secrets.'),
  progressing: z.int().describe('Those that are taking a revision.'),
  degraded: z.int().describe('Those where something failed.'),
  unknown: z.int().describe('Those of which nobody sees whether they are in sync.'),
  away: z.int().describe('Those whose agent is not connected.'),
})

const projectRollout = z.strictObject({
  revision: z.int().describe('Revision that is rolled out.'),
  state: z
    .enum(['Progressing', 'Paused', 'Stopped', 'Braked', 'Complete'])
    .describe(
      'Stopped: by a failure; Braked: many agents vanished at once; Complete: all that can take it have it.',
    ),
  healthy: z.int().describe('Stagelets that are healthy with it.'),
  progressing: z.int().describe('Stagelets that were told and are not healthy yet.'),
  waiting: z.int().describe('Stagelets whose turn is still to come.'),
  held: z
    .int()
    .describe(
      'Stagelets that cannot be told: paused, drained, stopped by hand, or their agent is away.',
    ),
  unknown: z
    .int()
    .optional()
    .describe('Stagelets that were healthy with it when they were last seen; absent when none.'),
  failed: z
    .array(z.string())
    .optional()
    .describe('Stagelets that failed or are late; the first 20 by name.'),
})

export const projectStatus = z.strictObject({
  observedGeneration: z
    .int()
    .optional()
    .describe('metadata.generation that this status was judged from.'),
  revision: z.int().optional().describe('Newest closed revision of the secret set.'),
  secrets: z.int().optional().describe('How many secrets the newest set holds.'),
  stagelets: stageletCounts.optional().describe('How the stagelets of the project are.'),
  rollout: projectRollout
    .optional()
    .describe('Where the rollout of the newest revision stands; only with spec.rollout.'),
  conditions: conditionsSchema,
})

export type ProjectSpec = z.infer<typeof projectSpec>
export type ProjectStatus = z.infer<typeof projectStatus>
export type RolloutSpec = z.infer<typeof rolloutSpec>
export type ProjectRollout = z.infer<typeof projectRollout>
export type StageletCounts = z.infer<typeof stageletCounts>
