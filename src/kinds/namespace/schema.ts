// A namespace of core/v1: a team.
import * as z from 'zod'
import { limits, word } from '../../resources/limits.ts'

export const namespaceSpec = z.strictObject({
  finalizers: z
    .array(word)
    .max(limits.listed)
    .optional()
    .describe('Always kubernetes: a namespace is removed when it is empty.'),
})
export const namespaceStatus = z.strictObject({
  phase: z
    .enum(['Active', 'Terminating'])
    .optional()
    .describe('Terminating: the namespace is being deleted, and no object can be created in it.'),
})
