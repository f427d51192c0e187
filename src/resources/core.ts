// The two kinds of core/v1 that the API serves: namespaces (= teams) and events.
import * as z from 'zod'

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

const objectReference = z.strictObject({
  apiVersion: z.string().optional().describe('Version of its schema.'),
  kind: z.string().optional().describe('Its kind.'),
  name: z.string().optional().describe('Its name.'),
  namespace: z.string().optional().describe('Its namespace.'),
  uid: z.string().optional().describe('Its uid: an object of the same name may be another.'),
  resourceVersion: z.string().optional().describe('Its version when it happened.'),
  fieldPath: z.string().optional().describe('The part of it that is meant.'),
})

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))
const time = z.string().refine(isTime, 'must be a time as in RFC 3339')

/**
 * A core/v1 Event has its fields at the top level. The store keeps them in `spec`, and the API moves
 * them. Older programs write `source`, the times and `count`; newer ones `reportingComponent`,
 * `eventTime`, `action` and `series`.
 */
export const eventSpec = z.strictObject({
  involvedObject: objectReference.describe('What it happened to.'),
  related: objectReference.optional().describe('What else had a part in it.'),
  reason: z
    .string()
    .default('')
    .describe('One CamelCase word for what happened; made for programs.'),
  message: z.string().default('').describe('The same for people. Never a secret value.'),
  action: z.string().optional().describe('What was done, or failed.'),
  type: z
    .enum(['Normal', 'Warning'])
    .default('Normal')
    .describe('Warning where somebody should look.'),
  source: z
    .strictObject({
      component: z.string().optional().describe('Name of the program.'),
      host: z.string().optional().describe('Its machine.'),
    })
    .optional()
    .describe('Who tells.'),
  reportingComponent: z
    .string()
    .default('')
    .describe('Who tells, once more: newer clients look here.'),
  reportingInstance: z.string().default('').describe('Which process of it; may be empty.'),
  firstTimestamp: time.optional().describe('When it first happened.'),
  lastTimestamp: time.optional().describe('When it last happened; an hour later the event goes.'),
  eventTime: time.optional().describe('When it first happened, as newer programs say it.'),
  count: z.int().optional().describe('How often it happened.'),
  series: z
    .strictObject({
      count: z.int().describe('How often it has happened so far.'),
      lastObservedTime: time.describe('When it last happened.'),
    })
    .optional()
    .describe('Of what goes on happening, as newer programs say it.'),
})

export type EventSpec = z.infer<typeof eventSpec>
export type ObjectReference = z.infer<typeof objectReference>

type EventTimes = Pick<
  EventSpec,
  'firstTimestamp' | 'lastTimestamp' | 'eventTime' | 'series' | 'count'
>

/**
 * Time of the event's last occurrence; '' when it has none. The store's compaction computes the same in
 * SQL.
 */
export const lastSeenOf = ({ series, lastTimestamp, eventTime }: EventTimes): string =>
  series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? ''

/** Time of the event's first occurrence; '' when it has none. */
export const firstSeenOf = ({ firstTimestamp, eventTime, lastTimestamp }: EventTimes): string =>
  firstTimestamp ?? eventTime ?? lastTimestamp ?? ''

export const timesSeen = ({ series, count }: EventTimes): number => series?.count ?? count ?? 1
