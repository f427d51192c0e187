// The fields of a kind as REST and files of secrets call them, made from its schema: in snake case, and
// a reference by the name that it holds. What is otherwise is said in one table for each kind.
import { z } from 'zod'

export const snakeCase = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

type Shape = Readonly<Record<string, z.ZodType>>

/** The schema of a field that is given: not optional, and without the default of one that is not. */
export const plainSchema = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? plainSchema(schema.unwrap() as z.ZodType)
    : schema

type Plain<S> = S extends z.ZodOptional<infer T> | z.ZodDefault<infer T> ? Plain<T> : S
type Within<S> =
  Plain<S> extends z.ZodObject<infer T>
    ? T
    : Plain<S> extends z.ZodArray<infer T>
      ? Within<T>
      : never

/** REST has no such field. */
export const hidden = 'hidden'

interface Exception<S> {
  /** In place of the name in snake case. */
  readonly name?: string
  readonly description?: string
  /** What an answer shows where the object has none. */
  readonly absent?: NonNullable<z.infer<S>>
  /** Taken and never shown. */
  readonly writeOnly?: true
  /** The names of what is in it stay as they are. */
  readonly asItIs?: true
  /** What is in it stands beside it, with names that begin so. */
  readonly prefix?: string
  readonly fields?: Exceptions<Within<S>>
}

/** What REST calls or shows otherwise; a field that is not named follows the rule. */
export type Exceptions<T> = {
  readonly [Key in keyof T]?: typeof hidden | Exception<T[Key]>
}

export interface RestField {
  readonly name: string
  /** Where it is in what the schema describes. */
  readonly path: readonly string[]
  /** Of a value that is given. */
  readonly schema: z.ZodType
  /** Of an object, or of each item of a list: its fields by their REST names. */
  readonly inner?: readonly RestField[]
  /** Every object has it. */
  readonly always: boolean
  /** A new object needs it. */
  readonly required: boolean
  readonly writeOnly: boolean
  /** `null` takes it away. */
  readonly removable: boolean
  readonly absent?: unknown
}

/** Text of half a character would be stored as another one. */
const wellFormed = (schema: z.ZodType): z.ZodType =>
  schema.refine((text) => typeof text !== 'string' || !/\p{Surrogate}/u.test(text), {
    error: 'must not hold half a surrogate pair',
  })

const shapeIn = (schema: z.ZodType): Shape | undefined => {
  const plain = plainSchema(schema)
  if (plain instanceof z.ZodArray) return shapeIn(plain.element as z.ZodType)
  return plain instanceof z.ZodObject ? plain.shape : undefined
}

interface Group {
  readonly path: readonly string[]
  readonly prefix: string
  /** Undefined at the top, where a field with a default cannot be taken away. */
  readonly optional?: boolean
}

type Untyped = Exception<z.ZodType> & { readonly fields?: Exceptions<Shape> }

const fieldOf = (key: string, schema: z.ZodType, group: Group, except: Untyped): RestField => {
  const { optional: ofGroup } = group
  const isOptional = schema instanceof z.ZodOptional
  const hasDefault = schema instanceof z.ZodDefault
  const { writeOnly = false, absent, description = schema.description ?? '' } = except
  const inside = except.asItIs === true ? undefined : shapeIn(schema)
  const plain = plainSchema(schema)
  return {
    name: except.name ?? `${group.prefix}${snakeCase(key)}`,
    path: [...group.path, key],
    schema: (writeOnly ? wellFormed(plain) : plain).describe(description),
    always: absent !== undefined || !(isOptional || (hasDefault && ofGroup !== undefined)),
    required: !isOptional && !hasDefault && ofGroup !== true,
    writeOnly,
    removable: !writeOnly && (isOptional || (hasDefault && ofGroup !== undefined)),
    ...(absent === undefined ? {} : { absent }),
    ...(inside === undefined
      ? {}
      : {
          inner: fieldsIn(inside, except.fields ?? {}, { path: [], prefix: '', optional: false }),
        }),
  }
}

const fieldsIn = (shape: Shape, exceptions: Exceptions<Shape>, group: Group): RestField[] =>
  Object.entries(shape).flatMap(([key, schema]): RestField[] => {
    const except = exceptions[key] ?? {}
    if (except === hidden) return []
    const inside = shapeIn(schema)
    const optional = schema instanceof z.ZodOptional
    const path = [...group.path, key]
    if (inside !== undefined && except.prefix !== undefined)
      return fieldsIn(inside, except.fields ?? {}, { path, prefix: except.prefix, optional })
    if (inside === undefined || !key.endsWith('Ref') || Object.keys(inside).join() !== 'name')
      return [fieldOf(key, schema, group, except)]
    // The name of what is referred to is in the place of the reference.
    const named = { name: snakeCase(key.slice(0, -3)), description: schema.description ?? '' }
    const field = fieldOf('name', inside['name']!, { path, prefix: '', optional }, named)
    return [{ ...field, always: !optional, removable: optional }]
  })

/** Throws where two fields would have one name. */
export const fieldsOf = <T extends Shape>(
  schema: { readonly shape: T },
  exceptions: Exceptions<T>,
): readonly RestField[] => {
  const fields = fieldsIn(schema.shape, exceptions, { path: [], prefix: '' })
  const twice = fields.find(({ name }, i) => fields.findIndex((f) => f.name === name) < i)
  if (twice !== undefined) throw new Error(`two fields are called ${twice.name}`)
  return fields
}

type Fields = Readonly<Record<string, unknown>>

export const valueAt = (from: unknown, path: readonly string[]): unknown => {
  let at = from
  for (const key of path) at = (at as Fields | undefined)?.[key]
  return at
}

/** With what `change` makes of the value at `path`: undefined takes it away, and a group that is empty then. */
const withAt = (
  object: Fields,
  [first = '', ...rest]: readonly string[],
  change: (before: unknown) => unknown,
): Record<string, unknown> => {
  const next: Record<string, unknown> = { ...object }
  const isGroup = rest.length > 0
  const before = next[first]
  const made = isGroup ? withAt((before ?? {}) as Fields, rest, change) : change(before)
  const isGone = made === undefined || (isGroup && Object.keys(made as Fields).length === 0)
  if (isGone) Reflect.deleteProperty(next, first)
  else next[first] = made
  return next
}

/** `spec` with what is given; `null` takes a field away. What a group is not given stays. */
export const withFields = (
  fields: readonly RestField[],
  spec: Fields,
  input: Fields,
): Record<string, unknown> =>
  fields.reduce(
    (next, { name, path, inner }) => {
      const given = input[name]
      if (given === undefined) return next
      const taken = (before: unknown): unknown =>
        inner === undefined ? given : takenBy(inner, before, given)
      return withAt(next, path, given === null ? () => undefined : taken)
    },
    { ...spec },
  )

const takenBy = (inner: readonly RestField[], before: unknown, given: unknown): unknown =>
  Array.isArray(given)
    ? given.map((item) => withFields(inner, {}, item as Fields))
    : withFields(inner, (before ?? {}) as Fields, given as Fields)
