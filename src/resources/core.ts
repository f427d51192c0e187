// The two kinds of core/v1 that the API serves: namespaces (= teams) and events.
import { z } from 'zod'

export const namespaceSpec = z.strictObject({
  finalizers: z
    .array(z.string())
    .optional()
    .describe('Always kubernetes: a namespace goes when nothing is left in it.'),
})
export const namespaceStatus = z.strictObject({
  phase: z
    .enum(['Active', 'Terminating'])
    .optional()
    .describe('Terminating: deletion was asked for, and nothing new may be made in it.'),
})

const involvedObject = z.strictObject({
  apiVersion: z.string().describe('Version of its schema.'),
  kind: z.string().describe('Its kind.'),
  name: z.string().describe('Its name.'),
  namespace: z.string().describe('Its namespace.'),
  uid: z.string().optional().describe('Its uid: an object of the same name may be another.'),
})

/** core/v1 Event keeps its fields at the top level; the store keeps them in `spec` and the API lifts them. */
export const eventSpec = z.strictObject({
  involvedObject: involvedObject.describe('What it happened to.'),
  reason: z.string().describe('One CamelCase word for what happened; made for programs.'),
  message: z.string().describe('The same for people. Never a secret value.'),
  type: z.enum(['Normal', 'Warning']).describe('Warning where somebody should look.'),
  source: z
    .strictObject({ component: z.string().describe('Name of the program.') })
    .describe('Who tells.'),
  reportingComponent: z.string().describe('Who tells, once more: newer clients look here.'),
  reportingInstance: z.string().describe('Which process of it; may be empty.'),
  firstTimestamp: z.string().describe('When it first happened.'),
  lastTimestamp: z.string().describe('When it last happened; an hour later the event goes.'),
  count: z.int().describe('How often it happened.'),
})

export type EventSpec = z.infer<typeof eventSpec>
