// JSON and YAML: a map of keys to texts, or a list of secrets as `secrets export` writes it, with all
// fields.
import { isScalar, parseDocument, visit } from 'yaml'
import * as z from 'zod'
import { defined } from '../../src/kernel/defined.ts'
import { isRecord } from '../../src/kernel/record.ts'
import { secretFields } from '../../src/resources/secret-fields.ts'
import type { Entry, EntryFault, Parsed } from './entries.ts'

const valueNames = ['value', 'value_base64', 'value_from']

interface Line {
  readonly key: string
  readonly scope?: string
  readonly stagelet?: string
  readonly value?: string
  readonly value_base64?: string
}

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
  }) as unknown as z.ZodType<Line>

const listSchema = z.union([
  z.array(z.unknown()),
  z.object({ secrets: z.array(z.unknown()) }).transform(({ secrets }) => secrets),
])

export const parseJsonSecrets = (source: string): Parsed => {
  let parsed: unknown
  try {
    parsed = JSON.parse(source)
  } catch {
    // The parser's message quotes the text around the fault.
    return { entries: [], faults: [{ where: 'file', message: 'is not valid JSON' }] }
  }
  return readStructure(parsed)
}

/** YAML 1.1, as for manifests: `yes` and `0600` are not texts. */
export const parseYamlSecrets = (source: string): Parsed => {
  const document = parseDocument(source, { version: '1.1', prettyErrors: false, merge: true })
  const broken = document.errors[0]
  if (broken !== undefined) {
    const line = source.slice(0, broken.pos[0]).split('\n').length
    return { entries: [], faults: [{ where: `line ${line}`, message: 'is not valid YAML' }] }
  }
  visit(document, {
    Pair: (_, pair) => {
      // A key such as ON or 123 is a name, whatever its type in YAML.
      if (isScalar(pair.key) && typeof pair.key.source === 'string')
        pair.key.value = pair.key.source
    },
  })
  return readStructure(document.toJS({ maxAliasCount: 100 }))
}

const readStructure = (parsed: unknown): Parsed => {
  const list = listSchema.safeParse(parsed)
  const results = list.success
    ? list.data.map(readSecret)
    : isRecord(parsed)
      ? Object.entries(parsed).map(([key, value]) => readPair(key, value))
      : [
          {
            fault: {
              where: 'file',
              message: 'must be a map of keys to texts, or a list of secrets',
            },
          },
        ]
  return {
    entries: results.flatMap((r) => ('entry' in r ? [r.entry] : [])),
    faults: results.flatMap((r) => ('fault' in r ? [r.fault] : [])),
  }
}

type Result = { readonly entry: Entry } | { readonly fault: EntryFault }

const readPair = (key: string, value: unknown): Result =>
  typeof value === 'string'
    ? { entry: { key, value: Buffer.from(value), where: key } }
    : { fault: { where: key, message: 'must be text; quote it' } }

const readSecret = (input: unknown, index: number): Result => {
  const where = `secrets[${index}]`
  const { data, error } = lineSchema.safeParse(input)
  if (error !== undefined) {
    const issue = error.issues[0]!
    const field = issue.path.length === 0 ? '' : `${issue.path.join('.')} `
    return { fault: { where, message: `${field}${issue.message}` } }
  }
  const { key, scope, stagelet, value, value_base64: base64, ...fields } = data
  return {
    entry: {
      key,
      where,
      ...defined({ scope, stagelet }),
      ...(value === undefined ? {} : { value: Buffer.from(value) }),
      ...(base64 === undefined ? {} : { value: Buffer.from(base64, 'base64') }),
      fields,
    },
  }
}
