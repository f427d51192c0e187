// An event of core/v1.
import * as z from 'zod'
import { count, message, instant, word } from '../../resources/limits.ts'

const objectReference = z.strictObject({
  apiVersion: word.optional().describe('API version of the object.'),
  kind: word.optional().describe('Kind of the object.'),
  name: word.optional().describe('Name of the object.'),
  namespace: word.optional().describe('Namespace of the object.'),
  uid: word
    .optional()
    .describe('UID of the object. A deleted object and its successor have one name and two UIDs.'),
  resourceVersion: word
    .optional()
    .describe('resourceVersion of the object at the time of the event.'),
  fieldPath: z
    .string()
    .max(1_024)
    .optional()
    .describe('The field of the object that the event is about.'),
})

/**
 * A core/v1 Event has its fields at the top level. The store keeps them in `spec`, and the API moves
 * them. Older programs write `source`, the times and `count`; newer ones `reportingComponent`,
 * `eventTime`, `action` and `series`.
 */
export const eventSpec = z.strictObject({
  involvedObject: objectReference.describe('The object that the event is about.'),
  related: objectReference.optional().describe('Another object that the event involves.'),
  reason: word.default('').describe('What happened, as one CamelCase word for programs.'),
  message: message
    .default('')
    .describe('What happened, as a sentence for people. Never a secret value.'),
  action: word.optional().describe('The action that succeeded or failed.'),
  type: z
    .enum(['Normal', 'Warning'])
    .default('Normal')
    .describe('Warning: somebody should look at the object.'),
  source: z
    .strictObject({
      component: word.optional().describe('Name of the program.'),
      host: word.optional().describe('Machine of the program.'),
    })
    .optional()
    .describe('The program that reported the event.'),
  reportingComponent: word
    .default('')
    .describe('The program that reported the event, in the field that newer clients read.'),
  reportingInstance: word.default('').describe('Process of the program; may be empty.'),
  firstTimestamp: instant.optional().describe('Time of the first occurrence.'),
  lastTimestamp: instant
    .optional()
    .describe('Time of the last occurrence. The event is deleted one hour later.'),
  eventTime: instant
    .optional()
    .describe('Time of the first occurrence, in the field that newer programs write.'),
  count: count.optional().describe('Number of occurrences.'),
  series: z
    .strictObject({
      count: count.describe('Number of occurrences until now.'),
      lastObservedTime: instant.describe('Time of the last occurrence.'),
    })
    .optional()
    .describe('Repeated occurrences, in the field that newer programs write.'),
})

export type EventSpec = z.infer<typeof eventSpec>

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
