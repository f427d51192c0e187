// The fields of a secret by their REST names, made from the schema of StagelySecret: a field that is
// added there is here too. Names follow the columns: file_path, file_permissions.
import { z } from 'zod'
import type { Fault } from '../../../src/kernel/errors.ts'
import { secretSpec } from '../../../src/resources/stagelysecret.ts'
import { plainSchema, snakeCase } from './field-names.ts'

export interface SecretField {
  readonly name: string
  /** Where it is under `spec`. */
  readonly path: readonly string[]
  readonly schema: z.ZodType
  /** Taken and never shown. */
  readonly writeOnly: boolean
  /** `null` takes it away. */
  readonly removable: boolean
}

const writeOnly = new Set(['value', 'valueBase64', 'sealedValue'])

/** Text of half a character would be stored as another one. */
const wellFormed = (schema: z.ZodType): z.ZodType =>
  schema.refine((text) => typeof text !== 'string' || !/\p{Surrogate}/u.test(text), {
    error: 'must not hold half a surrogate pair',
  })

const fieldOf = (name: string, path: readonly string[], schema: z.ZodType): SecretField => {
  const hidden = writeOnly.has(path[0] ?? '')
  const { description = '' } = schema
  const own = plainSchema(schema)
  return {
    name,
    path,
    schema: (hidden ? wellFormed(own) : own).describe(description),
    writeOnly: hidden,
    removable: !hidden && (path.length > 1 || schema instanceof z.ZodOptional),
  }
}

const shapeOf = (schema: z.ZodType): Record<string, z.ZodType> =>
  (plainSchema(schema) as z.ZodObject).shape

const fileFields = (file: z.ZodType): SecretField[] =>
  Object.entries(shapeOf(file)).map(([key, schema]) =>
    fieldOf(key === 'mode' ? 'file_permissions' : `file_${snakeCase(key)}`, ['file', key], schema),
  )

export const secretFields: readonly SecretField[] = Object.entries(
  secretSpec.shape as Record<string, z.ZodType>,
).flatMap(([key, schema]) => {
  if (key === 'projectRef') return [] // the path names it
  if (key === 'file') return fileFields(schema)
  if (key !== 'stageletRef') return [fieldOf(snakeCase(key), [key], schema)]
  const { name = z.string() } = shapeOf(schema)
  return [fieldOf('stagelet', ['stageletRef', 'name'], name.describe(schema.description ?? ''))]
})

const [typeField] = secretFields.filter((field) => field.name === 'type')

/** The column's name is taken for the field's. */
const alias = { secret_type: typeField!.schema.optional().describe('The same as `type`.') }

const optionalFields = (fields: readonly SecretField[]): Record<string, z.ZodType> =>
  Object.fromEntries(fields.map(({ name, schema }) => [name, schema.optional()]))

export type SecretInput = Readonly<Record<string, unknown>>

const keyField = secretFields.find((field) => field.name === 'key')!

export const createShape = {
  ...optionalFields(secretFields),
  ...alias,
  key: keyField.schema,
}

export const updateShape = {
  ...Object.fromEntries(
    secretFields.map(({ name, schema, removable }) => [
      name,
      (removable ? schema.nullable() : schema).optional(),
    ]),
  ),
  ...alias,
}

/** Fields of every answer about a secret; `key`, `scope` and `type` are always there. */
export const shownShape: Record<string, z.ZodType> = Object.fromEntries(
  secretFields
    .filter((field) => !field.writeOnly)
    .map(({ name, schema }) => [
      name,
      ['key', 'scope', 'type'].includes(name) ? schema : schema.optional(),
    ]),
)

const valueAt = (spec: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], spec)

/** What an answer shows of a spec. */
export const shownOf = (spec: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    secretFields
      .filter((field) => !field.writeOnly)
      .map(({ name, path }) => [name, valueAt(spec, path)] as const)
      .filter(([, value]) => value !== undefined),
  )

/** `spec` with what the request gives; `null` takes a field away. */
export const withInput = (
  spec: Readonly<Record<string, unknown>>,
  input: SecretInput,
): Record<string, unknown> => {
  const next: Record<string, unknown> = structuredClone({ ...spec })
  const { secret_type: type, ...fields } = input
  const given: SecretInput = type === undefined ? fields : { type, ...fields }
  for (const { name, path } of secretFields) {
    const value = given[name]
    if (value === undefined) continue
    const [first = '', second] = path
    if (second === undefined) {
      if (value === null) Reflect.deleteProperty(next, first)
      else next[first] = value
      continue
    }
    const group = { ...(next[first] as Record<string, unknown> | undefined), [second]: value }
    if (value === null) Reflect.deleteProperty(group, second)
    if (Object.keys(group).length > 0) next[first] = group
    else Reflect.deleteProperty(next, first)
  }
  return next
}

const restNames = new Map([
  ...secretFields.map(({ name, path }) => [['spec', ...path].join('.'), name] as const),
  ['spec.file', 'file_path'],
  ['spec.stageletRef', 'stagelet'],
  ['spec.projectRef.name', 'project_id'],
])

/** A field of the object as the request names it. */
export const inRestName = (field: string): string =>
  restNames.get(field) ?? snakeCase(field.replace(/^spec\./, ''))

/** The store's faults in the names of the request. */
export const inRestNames = (faults: readonly Fault[], prefix = ''): Fault[] =>
  faults.map(({ field, reason, message }) => {
    const name = inRestName(field)
    return { field: `${prefix}${name}`, reason, message: message.replaceAll(field, name) }
  })
