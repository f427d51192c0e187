// Pieces that the answers of several routes share.
import { z } from 'zod'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import type { Condition } from '../../../src/resources/conditions.ts'

export const time = z.string().meta({ format: 'date-time', examples: ['2025-12-06T14:30:00Z'] })

/** Answer of a DELETE. */
export const deletedSchema = z.strictObject({ status: z.literal('deleted') })
export const deleted = { status: 200, body: { status: 'deleted' } } as const

export const source = z
  .string()
  .describe('Who owns it: `api`, or the folder of manifests that says what it is.')

export const sourceOf = ({ metadata }: KubeObject): string =>
  metadata.annotations?.[annotations.source] ?? 'api'

/** What is so of an object, and why. */
export const conditions = z
  .array(
    z.strictObject({
      type: z.string(),
      status: z.enum(['True', 'False', 'Unknown']),
      reason: z.string(),
      message: z.string(),
      since: time,
    }),
  )
  .describe('The latest observations, one of each type.')

export const conditionsOf = (object: KubeObject): z.infer<typeof conditions> =>
  ((object.status?.['conditions'] ?? []) as Condition[]).map(
    ({ type, status, reason, message, lastTransitionTime: since }) => ({
      type,
      status,
      reason,
      message,
      since,
    }),
  )

/** Only the fields that are there. */
export const given = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
