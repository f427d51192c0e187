// Makes schemas of answers and requests from the fields of a kind, and answers from their schemas. A
// field of an answer has the value of the field with the same name, unless its schema says otherwise.
import * as z from 'zod'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { valueAt, type RestField } from '../../../src/resources/schemas/rest-fields.ts'
import { plainSchema } from '../../../src/resources/schema-parts.ts'

type Shape = Record<string, z.ZodType>

/** Source of an answer field's value. */
interface Origin {
  readonly of: (shown: unknown) => unknown
}
const origins = z.registry<Origin>()

/** A field of an answer that is computed from the shown object. */
export const computed = <S extends z.ZodType>(schema: S, of: (shown: never) => z.infer<S>): S => {
  const field = schema.clone()
  origins.add(field, { of: of as Origin['of'] })
  return field
}

const schemaWith = (
  { schema, inner }: RestField,
  shapeOf: (fields: readonly RestField[]) => Shape,
): z.ZodType => {
  if (inner === undefined) return schema
  const object = z.strictObject(shapeOf(inner))
  // The list keeps its bounds.
  const whole =
    schema instanceof z.ZodArray ? schema.clone({ ...schema.def, element: object }) : object
  return schema.description === undefined ? whole : whole.describe(schema.description)
}

/**
 * `root` is the part with the fields: `spec` or `status`. `more` are computed fields, nested in the
 * field of their name.
 */
export const answerShape = (
  fields: readonly RestField[],
  root: readonly string[] = [],
  more: Readonly<Record<string, Shape>> = {},
): Shape =>
  Object.fromEntries(
    fields
      .filter((field) => !field.writeOnly)
      .map((field) => {
        const { name, absent } = field
        const schema = schemaWith(field, (inner) => ({ ...answerShape(inner), ...more[name] }))
        const path = [...root, ...field.path]
        const of = (shown: unknown): unknown => valueAt(shown, path) ?? absent
        return [name, computed(field.always ? schema : schema.optional(), of)]
      }),
  )

export const createShape = (fields: readonly RestField[]): Shape =>
  Object.fromEntries(
    fields.map((field) => {
      const schema = schemaWith(field, createShape)
      return [field.name, field.required ? schema : schema.optional()]
    }),
  )

/** `null` removes a field. */
export const updateShape = (fields: readonly RestField[]): Shape =>
  Object.fromEntries(
    fields.map((field) => {
      const isList = field.schema instanceof z.ZodArray
      const schema = schemaWith(field, isList ? createShape : updateShape)
      return [field.name, (field.removable ? schema.nullable() : schema).optional()]
    }),
  )

type Camel<Text extends string> = Text extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Text

/** The input of an answer: the same fields in camel case, times as text or in milliseconds. */
export type ShownFields<T> = T extends string
  ? string extends T
    ? string | number
    : T
  : T extends readonly (infer Item)[]
    ? readonly ShownFields<Item>[]
    : T extends object
      ? {
          readonly [Key in keyof T as Key extends string ? Camel<Key> : never]: ShownFields<T[Key]>
        }
      : T

const camelCase = (text: string): string =>
  text.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

type Show = (shown: unknown) => unknown

const showOf = (schema: z.ZodType): Show => {
  const plain = plainSchema(schema)
  if (plain instanceof z.ZodObject) {
    const fields = Object.entries<z.ZodType>(plain.shape).map(([name, field]) => {
      const own = camelCase(name)
      const of = origins.get(field)?.of ?? ((shown) => (shown as Record<string, unknown>)[own])
      return { name, of, show: showOf(field) }
    })
    return (shown) => {
      const made: Record<string, unknown> = {}
      for (const { name, of, show } of fields) {
        const value = of(shown)
        if (value !== undefined) made[name] = show(value)
      }
      return made
    }
  }
  if (plain instanceof z.ZodArray) {
    const show = showOf(plain.element as z.ZodType)
    return (shown) => (shown as unknown[]).map(show)
  }
  if (plain.meta()?.['format'] !== 'date-time') return (shown) => shown
  return (shown) => (typeof shown === 'number' ? toTimestamp(shown) : shown)
}

const shows = new WeakMap<z.ZodType, Show>()

const showBy = (schema: z.ZodType): Show => {
  const show = shows.get(schema) ?? showOf(schema)
  shows.set(schema, show)
  return show
}

/** The answer for a shown value. Fields that are not in the schema are left out. */
export const answer = <S extends z.ZodType>(
  schema: S,
  shown: ShownFields<z.infer<S>>,
): z.infer<S> => showBy(schema)(shown) as z.infer<S>

/** The same for an object, whose schema contains the path of each field. */
export const answerOf =
  <S extends z.ZodType>(schema: S) =>
  (object: object): z.infer<S> =>
    showBy(schema)(object) as z.infer<S>
