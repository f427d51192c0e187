// The fields of a secret by their flat names, made from the schema of StagelySecret: a field that is
// added there is here too. REST and the files of `secrets export` call them so. Names follow the
// columns: file_path, file_permissions.
import { z } from 'zod'
import { plainSchema, snakeCase } from './field-names.ts'
import { secretSpec } from './stagelysecret.ts'

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

export type SecretInput = Readonly<Record<string, unknown>>

const valueAt = (spec: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], spec)

/** What of a spec may be shown. */
export const shownOf = (spec: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    secretFields
      .filter((field) => !field.writeOnly)
      .map(({ name, path }) => [name, valueAt(spec, path)] as const)
      .filter(([, value]) => value !== undefined),
  )

/** `spec` with what is given; `null` takes a field away. */
export const withFields = (
  spec: Readonly<Record<string, unknown>>,
  input: SecretInput,
): Record<string, unknown> => {
  const next: Record<string, unknown> = structuredClone({ ...spec })
  for (const { name, path } of secretFields) {
    const value = input[name]
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

const label = (text: string): string => text.replace(/^-+|-+$/g, '')

/** Name of a new secret's object, `stripe-secret-key.backend`; what no name may hold is left out. */
export const secretName = ({ key, scope = 'global', stagelet }: SecretInput): string => {
  const parts = [key, scope, ...(typeof stagelet === 'string' ? [stagelet] : [])]
  const labels = parts.flatMap((part) =>
    String(part).toLowerCase().replaceAll('_', '-').split('.').map(label).filter(Boolean),
  )
  return labels.join('.').slice(0, 200) || 'secret'
}
