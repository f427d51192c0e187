import * as z from 'zod'
import type { Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import { count, limits, name, instant } from '../../resources/limits.ts'
import { checkEnvironments, environmentsSpec } from '../shared/environment.ts'
import { keyRotationSpec, projectKeysStatus } from './key-rotation.ts'
import { checkPreview, previewSpec } from './preview.ts'
import { secretPolicySpec } from '../secret/age.ts'
import { conditionsSchema } from '../../resources/schema-parts.ts'

export const rolloutSpec = z.strictObject({
  maxConcurrent: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('How many stagelets get a new revision at the same time; all when absent.'),
  progressDeadlineSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(600)
    .describe(
      'Time limit of one stagelet. A stagelet that is not healthy in this time stops the rollout.',
    ),
  onFailure: z
    .enum(['Stop'])
    .default('Stop')
    .describe(
      'What happens when a stagelet fails or exceeds its time limit. Stop: no further stagelet gets the revision.',
    ),
  paused: z
    .boolean()
    .optional()
    .describe(
      'True: no further stagelet gets a new revision. Stagelets that have it already go on.',
    ),
})

export const projectSpec = z.strictObject({
  description: z.string().max(1024).optional().describe('Description for people.'),
  environments: environmentsSpec
    .optional()
    .describe(
      'Environments of the project, such as production and preview. Stagelets and secrets name them.',
    ),
  preview: previewSpec
    .optional()
    .describe('How previews of the stack are made: see "stagely preview".'),
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
    .describe('How the stagelets get a new revision; when absent, all get it at once.'),
  secretPolicy: secretPolicySpec
    .optional()
    .describe('How old values may be; when absent, any age will do.'),
  keyRotation: keyRotationSpec
    .optional()
    .describe('How old keys may be; when absent, as the controller says.'),
})

/** Rules of a Project that the schema cannot express. */
export const checkProject = ({
  environments,
  preview,
}: Readonly<Record<string, unknown>>): Fault[] => {
  const listed = Array.isArray(environments) ? (environments as unknown[]).filter(isRecord) : []
  return [...checkEnvironments(environments), ...checkPreview(preview, listed)]
}

const stageletCounts = z.strictObject({
  total: count.describe('Number of stagelets of the project.'),
  inSync: count.describe('Stagelets whose containers run exactly their secrets.'),
  progressing: count.describe('Stagelets that are changing to a revision.'),
  degraded: count.describe('Stagelets where a service failed.'),
  unknown: count.describe('Stagelets that nobody can observe now.'),
  away: count.describe('Stagelets whose agent is not connected.'),
})

const projectRollout = z.strictObject({
  revision: count.describe('Revision that is rolled out.'),
  state: z
    .enum(['Progressing', 'Paused', 'Stopped', 'Braked', 'Complete'])
    .describe(
      'Stopped: a stagelet failed. Braked: many agents vanished at once. Complete: every stagelet that can get the revision has it.',
    ),
  healthy: count.describe('Stagelets that are healthy with it.'),
  progressing: count.describe('Stagelets that have got the revision and are not healthy yet.'),
  waiting: count.describe('Stagelets that have not got the revision yet.'),
  held: count.describe(
    'Stagelets that cannot get the revision: paused, drained, stopped by hand, or with an agent that is away.',
  ),
  unknown: count
    .optional()
    .describe('Stagelets that were healthy with it when they were last seen; absent when none.'),
  failed: z
    .array(name)
    .max(limits.listed)
    .optional()
    .describe('Stagelets that failed or exceeded the time limit; the first 20 by name.'),
})

export const projectStatus = z.strictObject({
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this status describes.'),
  revision: count.optional().describe('Newest closed revision of the secret set.'),
  revisionClosedAt: instant.optional().describe('When that revision was closed.'),
  secrets: count.optional().describe('How many secrets the newest set holds.'),
  stagelets: stageletCounts.optional().describe('Stagelets of the project, counted by state.'),
  rollout: projectRollout
    .optional()
    .describe('Progress of the rollout of the newest revision; only with spec.rollout.'),
  keys: projectKeysStatus
    .optional()
    .describe('Its keys; only with spec.keyRotation, or while one is due for rotation.'),
  conditions: conditionsSchema,
})

export type ProjectSpec = z.infer<typeof projectSpec>
export type ProjectStatus = z.infer<typeof projectStatus>
export type RolloutSpec = z.infer<typeof rolloutSpec>
export type ProjectRollout = z.infer<typeof projectRollout>
export type StageletCounts = z.infer<typeof stageletCounts>
