// JSON and YAML for the command line: each field of a list is checked as the API checks it.
import * as z from 'zod'
import { defined } from '../../src/kernel/defined.ts'
import {
  parseJsonSecrets as parseJson,
  valueNames,
  type CheckedLine,
  type CheckLine,
  type Structured,
} from '../../src/formats/structured.ts'
import { parseYamlSecrets as parseYaml } from '../../src/formats/yaml-secrets.ts'
import { secretFields } from '../../src/kinds/secret/rest-fields.ts'
import type { ParsedEntries } from './entries.ts'

/** Every field by its REST name, except a sealed value, which belongs in a manifest. */
const lineSchema = z
  .strictObject(
    Object.fromEntries(
      secretFields
        .filter(({ name }) => name !== 'sealed_value')
        .map(({ name, schema }) => [name, name === 'key' ? schema : schema.optional()]),
    ),
  )
  .refine((line) => valueNames.filter((name) => line[name] !== undefined).length === 1, {
    message: 'must have one of value, value_base64 and value_from',
  }) as unknown as z.ZodType<CheckedLine>

const check: CheckLine = (line) => {
  const { data, error } = lineSchema.safeParse(line)
  if (error === undefined) return data
  const issue = error.issues[0]!
  const field = issue.path.length === 0 ? '' : `${issue.path.join('.')} `
  return `${field}${issue.message}`
}

const asBytes = ({ lines, faults }: Structured): ParsedEntries => ({
  entries: lines.map(({ value, value_base64: base64, ...line }) => ({
    ...line,
    ...defined({
      value:
        value === undefined
          ? base64 === undefined
            ? undefined
            : Buffer.from(base64, 'base64')
          : Buffer.from(value),
    }),
  })),
  faults,
})

export const jsonEntries = (source: string): ParsedEntries => asBytes(parseJson(source, check))
export const yamlEntries = (source: string): ParsedEntries => asBytes(parseYaml(source, check))
