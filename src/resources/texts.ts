// The texts in a value, each with its schema: who asks what a text is finds all of them, those of a new field too.
import * as z from 'zod'
import { refersTo } from './schema-parts.ts'
import { plainSchema } from './schema-parts.ts'

interface FoundText {
  /** Neither optional nor with a default. */
  readonly schema: z.ZodType
  readonly text: string
}

export const textsIn = (schema: z.ZodType, value: unknown): FoundText[] => {
  if (value === undefined || value === null) return []
  const plain = plainSchema(schema)
  const within = (inner: unknown, items: readonly unknown[]): FoundText[] =>
    items.flatMap((item) => textsIn(inner as z.ZodType, item))
  if (plain instanceof z.ZodObject)
    return Object.entries(plain.shape).flatMap(([name, field]) =>
      within(field, [(value as Readonly<Record<string, unknown>>)[name]]),
    )
  if (plain instanceof z.ZodUnion) return plain.options.flatMap((option) => within(option, [value]))
  if (plain instanceof z.ZodArray) return within(plain.element, Array.isArray(value) ? value : [])
  if (plain instanceof z.ZodRecord) return within(plain.valueType, Object.values(value))
  return typeof value === 'string' ? [{ schema: plain, text: value }] : []
}

/** The objects that a value of the schema names. */
export const namedIn = (
  schema: z.ZodType,
  value: unknown,
): { readonly kind: string; readonly name: string }[] =>
  textsIn(schema, value).flatMap(({ schema: own, text: name }) => {
    const kind = own.meta()?.[refersTo]
    return typeof kind === 'string' ? [{ kind, name }] : []
  })
