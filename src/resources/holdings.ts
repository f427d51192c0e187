// What a text in a schema may hold of a secret: nothing, where it does not say so. Whatever hides values asks here.
import * as z from 'zod'

/**
 * `value`: a value of a secret, which is taken and never told. `plain`: that of a plain secret, which is told to whoever
 * reads its name. `address`: a URL whose path may be a password, which is told to whoever reads the object, and of which
 * nobody else gets more than the host.
 */
export type Holding = 'value' | 'plain' | 'address'

const holdings = z.registry<{ readonly holds: Holding }>()

/** Says what the text holds. Before `describe` and `optional`: each field has a schema of its own. */
export const holding = <S extends z.ZodType>(holds: Holding, schema: S): S => {
  holdings.add(schema, { holds })
  return schema
}

/** A URL whose path may be a password, and which has no other one. */
export const webAddress = (
  message = 'must be a URL such as https://hooks.example.com/s, without a password',
): z.ZodString =>
  holding(
    'address',
    z
      .string()
      .max(2048)
      .regex(/^https?:\/\/[^\s@]+$/, message),
  )

/** Of a schema that is neither optional nor has a default (`plainSchema`). */
export const holdingOf = (schema: z.ZodType): Holding | undefined => holdings.get(schema)?.holds
