// Schema parts that several kinds share.
import * as z from 'zod'
import { count, limits, instant, word } from './limits.ts'

const conditionSchema = z.strictObject({
  type: word.describe('Name of the condition, in CamelCase.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether the condition holds.'),
  reason: word.describe('Reason of the status, as one CamelCase word for programs.'),
  message: z
    .string()
    .max(limits.conditionMessage)
    .describe(
      'Reason of the status, as a sentence for people, with the remedy. Never a secret value.',
    ),
  lastTransitionTime: instant.describe('When the status last changed.'),
  observedGeneration: count
    .optional()
    .describe('metadata.generation of the spec that this condition describes.'),
})

export const conditionsSchema = z
  .array(conditionSchema)
  .max(limits.conditions)
  .optional()
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
  .describe('The latest observations, one of each type.')

/** Keyword of a schema whose value is the name of an object: the kind of that object. */
export const refersTo = 'x-refers-to'

/** RFC 1123 subdomain: the form of object names. */
export const objectName = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'must be a lower case RFC 1123 name: letters, digits, "-" and "."',
  )
  .max(253)

/** The name of an object of this kind, in the same namespace. Forms let people choose one. */
export const nameOfKind = (kind: string): z.ZodString => objectName.meta({ [refersTo]: kind })

export const refSchema = (kind: string): z.ZodObject<{ name: z.ZodString }, z.core.$strict> =>
  z.strictObject({ name: nameOfKind(kind).describe(`Name of the ${kind}, in the same namespace.`) })

/** The schema of a given value: not optional, without a default. */
export const plainSchema = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? plainSchema(schema.unwrap() as z.ZodType)
    : schema
