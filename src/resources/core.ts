// The two kinds of core/v1 that the API serves: namespaces (= teams) and events.
import { z } from 'zod'

export const namespaceSpec = z.strictObject({ finalizers: z.array(z.string()).optional() })
export const namespaceStatus = z.strictObject({
  phase: z.enum(['Active', 'Terminating']).optional(),
})

/** core/v1 Event keeps its fields at the top level; the store keeps them in `spec` and the API lifts them. */
export const eventSpec = z.strictObject({
  involvedObject: z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    name: z.string(),
    namespace: z.string(),
    uid: z.string().optional(),
  }),
  reason: z.string(),
  message: z.string(),
  type: z.enum(['Normal', 'Warning']),
  source: z.strictObject({ component: z.string() }),
  reportingComponent: z.string(),
  reportingInstance: z.string(),
  firstTimestamp: z.string(),
  lastTimestamp: z.string(),
  count: z.int(),
})

export type EventSpec = z.infer<typeof eventSpec>
