// JSON and YAML: either a map of keys to texts, or a list of secrets as `secrets export` writes it,
// with scope, type and file beside each value.
import { isScalar, parseDocument, visit } from 'yaml'
import { z } from 'zod'
import type { Entry, EntryFault, Parsed } from './entries.ts'

const text = z.string({ error: 'must be text; quote it' })

const secretSchema = z
  .strictObject({
    key: text,
    scope: text.optional(),
    type: z.enum(['env', 'file']).optional(),
    stagelet: text.optional(),
    value: text.optional(),
    value_base64: text.regex(/^[A-Za-z0-9+/\s]*={0,2}\s*$/, 'must be standard base64').optional(),
    file_path: text.optional(),
    file_permissions: text.optional(),
  })
  .refine((s) => (s.value === undefined) !== (s.value_base64 === undefined), {
    message: 'must have either value or value_base64',
  })

const listSchema = z.union([
  z.array(z.unknown()),
  z.object({ secrets: z.array(z.unknown()) }).transform(({ secrets }) => secrets),
])

export const parseJsonSecrets = (source: string): Parsed => {
  let parsed: unknown
  try {
    parsed = JSON.parse(source)
  } catch {
    // The parser's own message quotes the text around the fault.
    return { entries: [], faults: [{ where: 'file', message: 'is not valid JSON' }] }
  }
  return readStructure(parsed)
}

/** YAML 1.1, as manifests are read: `yes` and `0600` are no texts. */
export const parseYamlSecrets = (source: string): Parsed => {
  const document = parseDocument(source, { version: '1.1', prettyErrors: false, merge: true })
  const broken = document.errors[0]
  if (broken !== undefined) {
    const line = source.slice(0, broken.pos[0]).split('\n').length
    return { entries: [], faults: [{ where: `line ${line}`, message: 'is not valid YAML' }] }
  }
  visit(document, {
    Pair: (_, pair) => {
      // A key such as ON or 123 is a name, whatever YAML makes of it.
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
    : isMap(parsed)
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

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const readPair = (key: string, value: unknown): Result =>
  typeof value === 'string'
    ? { entry: { key, value: Buffer.from(value), where: key } }
    : { fault: { where: key, message: 'must be text; quote it' } }

const readSecret = (input: unknown, index: number): Result => {
  const where = `secrets[${index}]`
  const { data, error } = secretSchema.safeParse(input)
  if (error !== undefined) {
    const issue = error.issues[0]!
    const field = issue.path.length === 0 ? '' : `${issue.path.join('.')} `
    return { fault: { where, message: `${field}${issue.message}` } }
  }
  const bytes =
    data.value === undefined
      ? Buffer.from(data.value_base64 ?? '', 'base64')
      : Buffer.from(data.value)
  const file = {
    ...(data.file_path === undefined ? {} : { path: data.file_path }),
    ...(data.file_permissions === undefined ? {} : { mode: data.file_permissions }),
  }
  return {
    entry: {
      key: data.key,
      value: bytes,
      where,
      ...(data.scope === undefined ? {} : { scope: data.scope }),
      ...(data.type === undefined ? {} : { type: data.type }),
      ...(data.stagelet === undefined ? {} : { stagelet: data.stagelet }),
      ...(Object.keys(file).length === 0 ? {} : { file }),
    },
  }
}
