// The fields of a kind in REST and in files of secrets, derived from the kind's schema: names in snake
// case, and a reference as the name that it holds. Each kind has one table of exceptions.
import * as z from 'zod'
import { defined } from '../../kernel/defined.ts'
import { holdingOf } from '../holdings.ts'
import { plainSchema } from '../schema-parts.ts'

export const snakeCase = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

type Shape = Readonly<Record<string, z.ZodType>>

type Plain<S> = S extends z.ZodOptional<infer T> | z.ZodDefault<infer T> ? Plain<T> : S
type Within<S> =
  Plain<S> extends z.ZodObject<infer T>
    ? T
    : Plain<S> extends z.ZodArray<infer T>
      ? Within<T>
      : never

/** Marks a field that REST does not have. */
export const hidden = 'hidden'

interface Exception<S> {
  /** REST name, in place of the name in snake case. */
  readonly name?: string
  readonly description?: string
  /** Shown when the object has no value. */
  readonly absent?: NonNullable<z.infer<S>>
  /** The names of the fields in it stay unchanged. */
  readonly asItIs?: true
  /** The fields in it are moved beside it; their names begin with this prefix. */
  readonly prefix?: string
  readonly fields?: Exceptions<Within<S>>
}

/** Exceptions from the rule, by field. */
type Exceptions<T> = {
  readonly [Key in keyof T]?: typeof hidden | Exception<T[Key]>
}

export interface RestField {
  readonly name: string
  /** Path of the field in the described object. */
  readonly path: readonly string[]
  /** Schema of a given value. */
  readonly schema: z.ZodType
  /** Fields of an object, or of each item of a list, by their REST names. */
  readonly inner?: readonly RestField[]
  /** True when every object has the field. */
  readonly always: boolean
  /** True when a new object needs the field. */
  readonly required: boolean
  /** Accepted and never shown: it holds a value. */
  readonly writeOnly: boolean
  /** True when `null` removes the field. */
  readonly removable: boolean
  readonly absent?: unknown
}

/** A lone surrogate would be stored as another character. */
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
  /** Undefined at the top level, where a field with a default cannot be removed. */
  readonly optional?: boolean
}

type Untyped = Exception<z.ZodType> & { readonly fields?: Exceptions<Shape> }

const fieldOf = (key: string, schema: z.ZodType, group: Group, except: Untyped): RestField => {
  const { optional: ofGroup } = group
  const isOptional = schema instanceof z.ZodOptional
  const hasDefault = schema instanceof z.ZodDefault
  const { absent, description = schema.description ?? '' } = except
  const inside = except.asItIs === true ? undefined : shapeIn(schema)
  const plain = plainSchema(schema)
  const writeOnly = holdingOf(plain) === 'value'
  return {
    name: except.name ?? `${group.prefix}${snakeCase(key)}`,
    path: [...group.path, key],
    schema: (writeOnly ? wellFormed(plain) : plain).describe(description),
    always: absent !== undefined || !(isOptional || (hasDefault && ofGroup !== undefined)),
    required: !isOptional && !hasDefault && ofGroup !== true,
    writeOnly,
    removable: !writeOnly && (isOptional || (hasDefault && ofGroup !== undefined)),
    ...defined({ absent }),
    ...(inside !== undefined && {
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
    // A reference is replaced by the name that it holds.
    const named = { name: snakeCase(key.slice(0, -3)), description: schema.description ?? '' }
    const field = fieldOf('name', inside['name']!, { path, prefix: '', optional }, named)
    return [{ ...field, always: !optional, removable: optional }]
  })

/** Throws when two fields would have one name. */
export const fieldsOf = <T extends Shape>(
  schema: { readonly shape: T },
  exceptions: Exceptions<T>,
): readonly RestField[] => {
  const fields = fieldsIn(schema.shape, exceptions, { path: [], prefix: '' })
  const twice = fields.find(({ name }, i) => fields.findIndex((f) => f.name === name) < i)
  if (twice !== undefined) throw new Error(`two fields are called ${twice.name}`)
  return fields
}

/** The REST name of a field of the described object: `webhook.signing_key` of `webhook.signingKeyRef.name`. */
export const restNameOf = (fields: readonly RestField[], path: string): string => {
  for (const { name, path: own, inner } of fields) {
    const place = own.join('.')
    // A reference that is missing as a whole is named without the name that it holds.
    if (path === place || place === `${path}.name`) return name
    if (!path.startsWith(place) || !/^[.[]/.test(path.slice(place.length))) continue
    const [, index = '', rest = ''] = /^(\[\d+\])?\.?(.*)$/.exec(path.slice(place.length)) ?? []
    if (rest === '') return `${name}${index}`
    return `${name}${index}.${inner === undefined ? rest : restNameOf(inner, rest)}`
  }
  return snakeCase(path)
}

type Fields = Readonly<Record<string, unknown>>

export const valueAt = (from: unknown, path: readonly string[]): unknown => {
  let value = from
  for (const key of path) value = (value as Fields | undefined)?.[key]
  return value
}

/**
 * Sets the value at `path` to the result of `change`. undefined removes the value, and a group that
 * becomes empty.
 */
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

/** `spec` with the given fields; `null` removes a field. Fields of a group that are not given stay. */
export const withRestFields = (
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
    ? given.map((item) => withRestFields(inner, {}, item as Fields))
    : withRestFields(inner, (before ?? {}) as Fields, given as Fields)
