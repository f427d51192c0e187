import { z } from 'zod'
import { conditionsSchema } from './status.ts'

export const projectSpec = z.strictObject({
  description: z.string().max(1024).optional().describe('What the project is, for people.'),
})

export const projectStatus = z.strictObject({
  observedGeneration: z
    .int()
    .optional()
    .describe('metadata.generation that this status was judged from.'),
  revision: z.int().optional().describe('Newest closed revision of the secret set.'),
  secrets: z.int().optional().describe('How many secrets the newest set holds.'),
  conditions: conditionsSchema,
})

export type ProjectSpec = z.infer<typeof projectSpec>
export type ProjectStatus = z.infer<typeof projectStatus>
