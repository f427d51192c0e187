// What a message of EventBridge says of secrets of AWS Secrets Manager. Pure.
// Events: docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
import * as z from 'zod'
import { isRecord, tryParseJson } from '../../../src/kernel/record.ts'

const event = z.object({
  source: z.literal('aws.secretsmanager'),
  detail: z.object({
    eventName: z.string(),
    requestParameters: z.unknown().optional(),
    responseElements: z.unknown().optional(),
    additionalEventData: z.unknown().optional(),
  }),
})

/** What changes nothing: our own looks are such events too. */
const reads = /^(Get|Describe|List|BatchGet|Validate)/
const names = ['secretid', 'arn', 'name']
const mostNames = 10

const namesIn = (part: unknown): string[] =>
  Object.entries(isRecord(part) ? part : {}).flatMap(([field, value]) =>
    names.includes(field.toLowerCase()) && typeof value === 'string' && value.length <= 2_048
      ? [value]
      : [],
  )

/** An ARN ends with a "-" and six characters that AWS adds to the name, or is given without. */
const keysOf = (name: string): string[] => {
  const [, own] = /^arn:[\w-]+:secretsmanager:[\w-]+:\d+:secret:(.+)$/.exec(name) ?? []
  return own === undefined ? [name] : [name, own, own.replace(/-[A-Za-z0-9]{6}$/, '')]
}

/** Secrets that have changed, by every name; none for an event that changes nothing; undefined: this is no such event. */
export const keysOfEvent = (text: string): string[] | undefined => {
  const read = event.safeParse(tryParseJson(text))
  if (!read.success) return undefined
  const { eventName, ...parts } = read.data.detail
  if (reads.test(eventName)) return []
  const found = Object.values(parts).flatMap(namesIn).slice(0, mostNames)
  return [...new Set(found.flatMap(keysOf))]
}
