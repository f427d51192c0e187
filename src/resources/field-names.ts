// How fields of objects are called in the REST API and in files of secrets.
import { z } from 'zod'

export const snakeCase = (text: string): string =>
  text.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)

/** The schema of a field that is given: not optional, and without the default of one that is not. */
export const plainSchema = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? plainSchema(schema.unwrap() as z.ZodType)
    : schema
