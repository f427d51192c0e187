// The fields of a secret in requests of the REST API. Translates faults of an object to these names.
import * as z from 'zod'
import type { Fault } from '../../../src/kernel/errors.ts'
import { snakeCase } from '../../../src/resources/schemas/rest-fields.ts'
import {
  secretFields,
  withFields,
  type SecretInput,
} from '../../../src/kinds/secret/rest-fields.ts'
import { createShape, updateShape } from './shapes.ts'

const created = createShape(secretFields)

/** An alias: the name of the database column. */
const alias = { secret_type: created['type']!.describe('The same as `type`.') }

export const secretCreateShape = { ...created, ...alias }

/** A query parameter. */
export const valuesField = z
  .enum(['true', 'false'])
  .default('false')
  .describe('true: with the values of plain secrets, 1 MiB of them at most.')

/** The range of Postgres' `integer`. */
export const versionNumber = z.int().min(1).max(2_147_483_647)

export const expectedVersion = z
  .int()
  .min(0)
  .optional()
  .describe('Refuse (409) unless this version is the stored one (0: none): compare-and-set.')

export const secretUpdateShape = {
  ...updateShape(secretFields),
  ...alias,
  expected_version: expectedVersion,
}

/** `spec` with the fields of the request; `null` removes a field. */
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

/** The request's name of a field of the object. */
export const inRestName = (field: string): string =>
  restNames.get(field) ?? snakeCase(field.replace(/^spec\./, ''))

/** Fields with another name in requests: `file.path`, `valueBase64`. */
const otherNames = new Map(
  secretFields
    .map(({ name, path }) => [path.join('.'), name] as const)
    .filter(([path, name]) => path !== name),
)
const otherName = new RegExp(
  `(?<![\\w."-])(?:${[...otherNames.keys()].map((path) => path.replaceAll('.', '\\.')).join('|')})(?![\\w"-])`,
  'g',
)

/** The store's faults, with the request's field names. */
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
