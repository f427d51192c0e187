// The fields of a secret in requests and answers of the REST API.
import { z } from 'zod'
import type { Fault } from '../../../src/kernel/errors.ts'
import { snakeCase } from '../../../src/resources/field-names.ts'
import {
  secretFields,
  withFields,
  type SecretField,
  type SecretInput,
} from '../../../src/resources/secret-fields.ts'

const [typeField] = secretFields.filter((field) => field.name === 'type')

/** The column's name is taken for the field's. */
const alias = { secret_type: typeField!.schema.optional().describe('The same as `type`.') }

const optionalFields = (fields: readonly SecretField[]): Record<string, z.ZodType> =>
  Object.fromEntries(fields.map(({ name, schema }) => [name, schema.optional()]))

const keyField = secretFields.find((field) => field.name === 'key')!

export const createShape = {
  ...optionalFields(secretFields),
  ...alias,
  key: keyField.schema,
}

/** As versions are counted in the database. */
export const versionNumber = z.int().min(1).max(2_147_483_647)

export const expectedVersion = z
  .int()
  .min(0)
  .optional()
  .describe('Refuse (409) unless this version is the stored one (0: none): compare-and-set.')

export const updateShape = {
  ...Object.fromEntries(
    secretFields.map(({ name, schema, removable }) => [
      name,
      (removable ? schema.nullable() : schema).optional(),
    ]),
  ),
  ...alias,
  expected_version: expectedVersion,
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

/** `spec` with what the request gives; `null` takes a field away. */
export const withInput = (
  spec: Readonly<Record<string, unknown>>,
  { secret_type: type, ...fields }: SecretInput,
): Record<string, unknown> => withFields(spec, type === undefined ? fields : { type, ...fields })

const restNames = new Map([
  ...secretFields.map(({ name, path }) => [['spec', ...path].join('.'), name] as const),
  ['spec.file', 'file_path'],
  ['spec.stageletRef', 'stagelet'],
  ['spec.projectRef.name', 'project_id'],
])

/** A field of the object as the request names it. */
export const inRestName = (field: string): string =>
  restNames.get(field) ?? snakeCase(field.replace(/^spec\./, ''))

/** Those that a request calls otherwise: `file.path`, `valueBase64`. */
const otherNames = new Map(
  secretFields
    .map(({ name, path }) => [path.join('.'), name] as const)
    .filter(([path, name]) => path !== name),
)
const otherName = new RegExp(
  `(?<![\\w."-])(?:${[...otherNames.keys()].map((path) => path.replaceAll('.', '\\.')).join('|')})(?![\\w"-])`,
  'g',
)

/** The store's faults in the names of the request. */
export const inRestNames = (faults: readonly Fault[], prefix = ''): Fault[] =>
  faults.map(({ field, reason, message }) => {
    const name = inRestName(field)
    const text = message.replaceAll(field, name)
    return {
      field: `${prefix}${name}`,
      reason,
      message: text.replace(otherName, (path) => otherNames.get(path) ?? path),
    }
  })
