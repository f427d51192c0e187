// Receipts of revisions: who made one, why, and which stagelets run it.
import * as z from 'zod'
import { reportTime, signedSchema } from './signed-schema.ts'

export const revisionStates = ['running', 'newer', 'failed', 'behind', 'unknown'] as const

export const revisionSchema = z.strictObject({
  revision: z.int(),
  closed_at: reportTime,
  written: z.int().describe('Secrets that got a new version.'),
  deleted: z.int(),
  keys: z.array(z.string()).describe('Of those: the first 20 by name.'),
  moved: z
    .array(z.string())
    .optional()
    .describe('Stagelets that see the secrets of another environment since then: the first 20.'),
  by: z.array(z.string()),
  note: z.string().optional().describe('Why, as those who wrote them said.'),
})

export const oneRevisionSchema = revisionSchema.extend({
  stagelets: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      state: z
        .enum(revisionStates)
        .describe(
          'running: it is the newest revision that all containers match; newer: they match a newer one; failed: it was rolled back here; behind: not all of them match it yet; unknown: nobody sees them.',
        ),
      since: reportTime
        .optional()
        .describe('running: start of the newest container; unknown: when it was last seen.'),
    }),
  ),
})

export const signedReceipt = signedSchema(
  'receipt',
  oneRevisionSchema.extend({ team: z.string(), project: z.string(), issued_at: reportTime }),
)
export type SignedReceipt = z.infer<typeof signedReceipt>
