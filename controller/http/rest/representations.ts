// Schema parts that the answers of several routes share.
import * as z from 'zod'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import type { Condition } from '../../../src/resources/conditions.ts'

export const timeSchema = z
  .string()
  .meta({ format: 'date-time', examples: ['2025-12-06T14:30:00Z'] })

/** Answer to a DELETE. */
export const deletedSchema = z.strictObject({ status: z.literal('deleted') })
export const deleted = { body: { status: 'deleted' } } as const

export const source = z
  .string()
  .describe('Who owns it: `api`, or the folder of manifests that says what it is.')

export const sourceOf = ({ metadata }: KubeObject): string =>
  metadata.annotations?.[annotations.source] ?? 'api'

/** Conditions of an object. */
export const conditions = z
  .array(
    z.strictObject({
      type: z.string(),
      status: z.enum(['True', 'False', 'Unknown']),
      reason: z.string(),
      message: z.string(),
      since: timeSchema,
    }),
  )
  .describe('The latest observations, one of each type.')

export const restConditionsOf = (object: KubeObject): z.infer<typeof conditions> =>
  ((object.status?.['conditions'] ?? []) as Condition[]).map(
    ({ lastTransitionTime: since, observedGeneration: _, ...shown }) => ({ ...shown, since }),
  )
