// The part of a StagelySecret that may stay in kubectl's last-applied annotation: the fields of its
// schema, without values. An unknown field is dropped: a typing error (`vlaue:`) may hold the secret.
import * as z from 'zod'
import { isRecord, tryParseJson } from '../../kernel/record.ts'
import { annotations, type KubeObject } from '../../resources/meta.ts'
import { valueBytes, valueFields } from './value.ts'
import { secretSpec } from './schema.ts'

const writable = new Set([
  ...['name', 'generateName', 'namespace', 'labels', 'annotations'],
  ...['finalizers', 'ownerReferences'],
])
const hidden = new Set<string>(valueFields)

/** The known fields of `value`, in their order; undefined when the value cannot be of this schema. */
const prune = (schema: unknown, value: unknown): unknown => {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
    return prune(schema.unwrap(), value)
  if (!(schema instanceof z.ZodObject))
    return typeof value === 'object' && value !== null ? undefined : value
  if (!isRecord(value)) return undefined
  const shape = schema.shape as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => Object.hasOwn(shape, key) && !hidden.has(key))
      .map(([key, inner]) => [key, prune(shape[key], inner)]),
  )
}

/** Prunes the metadata of a manifest. A last-applied annotation in it is a manifest again. */
const pruneMetadata = (value: unknown): unknown => {
  if (!isRecord(value)) return undefined
  const fields = Object.entries(value).filter(([key]) => writable.has(key))
  return Object.fromEntries(
    fields.map(([key, inner]) => {
      if (key !== 'annotations' || !isRecord(inner)) return [key, inner]
      const { [annotations.lastApplied]: _, ...others } = inner
      return [key, others]
    }),
  )
}

/** The manifest of a StagelySecret that may be stored and shown. */
export const withoutSecretFields = (manifest: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(manifest).flatMap(([key, value]) => {
      if (key === 'spec') return [[key, prune(secretSpec, value)]]
      if (key === 'metadata') return [[key, pruneMetadata(value)]]
      return ['apiVersion', 'kind'].includes(key) ? [[key, value]] : []
    }),
  )

/** The annotation's text, cleaned; undefined for text that is not a manifest, whose content is unknown. */
export const cleanLastApplied = (text: string): string | undefined => {
  const manifest = tryParseJson(text)
  return isRecord(manifest) ? `${JSON.stringify(withoutSecretFields(manifest))}\n` : undefined
}

/** Where other tools (kapp, kpt, Rancher) keep what they have applied: whole, as a difference or as its digest. */
const copies =
  /^(kapp\.k14s\.io\/original.*|objectset\.rio\.cattle\.io\/applied|[^/]*\/(.*[-.])?last-applied.*)$/
/** A field of a value in a text of JSON, also one within a text of JSON, or in one of YAML or its difference. */
const holdsField = new RegExp(
  String.raw`"(?:${valueFields.join('|')})\\*"\s*:|^[\s+~-]*(?:${valueFields.join('|')})\s*:`,
  'm',
)
/** A shorter value is found in texts by chance. */
const leastBytes = 6

/** True for a note that repeats the value, or a manifest or a difference that may hold one. */
const tellsValue = (name: string, text: string, values: readonly string[]): boolean =>
  copies.test(name) || holdsField.test(text) || values.some((value) => text.includes(value))

/** The value as a note may repeat it: plain, as text in JSON, and as base64. */
const formsOf = (spec: Record<string, unknown>): string[] => {
  const bytes = valueBytes(spec)
  if (bytes === undefined || bytes.length < leastBytes) return []
  const text = bytes.toString('utf8')
  return [text, JSON.stringify(text).slice(1, -1), bytes.toString('base64')]
}

/** The secret without its value, which annotations of kubectl and other tools hold too. */
export const withoutValue = (secret: KubeObject): KubeObject => {
  const fields = Object.entries(secret.spec ?? {}).filter(([name]) => !hidden.has(name))
  const spec = Object.fromEntries(fields)
  const { [annotations.lastApplied]: text, ...notes } = secret.metadata.annotations ?? {}
  const values = formsOf(secret.spec ?? {})
  const telling = Object.entries(notes).filter(([name, note]) => tellsValue(name, note, values))
  if (text === undefined && telling.length === 0) return { ...secret, spec }
  const others = Object.fromEntries(
    Object.entries(notes).filter((note) => !telling.some(([name]) => name === note[0])),
  )
  if (text === undefined)
    return { ...secret, metadata: { ...secret.metadata, annotations: others }, spec }
  const clean = cleanLastApplied(text)
  const kept = clean === undefined ? others : { ...others, [annotations.lastApplied]: clean }
  return { ...secret, metadata: { ...secret.metadata, annotations: kept }, spec }
}
