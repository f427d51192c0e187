// The part of a StagelySecret that may stay in kubectl's last-applied annotation: the fields of its
// schema, without values. An unknown field is dropped: a typing error (`vlaue:`) may hold the secret.
import * as z from 'zod'
import { isRecord, parseJson } from '../kernel/record.ts'
import { annotations, type KubeObject } from './meta.ts'
import { valueFields } from './secret-value.ts'
import { secretSpec } from './stagelysecret.ts'

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
  const manifest = parseJson(text)
  return isRecord(manifest) ? `${JSON.stringify(withoutSecretFields(manifest))}\n` : undefined
}

/** The secret without its value, which kubectl's annotation holds too. */
export const withoutValue = (secret: KubeObject): KubeObject => {
  const fields = Object.entries(secret.spec ?? {}).filter(([name]) => !hidden.has(name))
  const spec = Object.fromEntries(fields)
  const { [annotations.lastApplied]: text, ...others } = secret.metadata.annotations ?? {}
  if (text === undefined) return { ...secret, spec }
  const clean = cleanLastApplied(text)
  const kept = clean === undefined ? others : { ...others, [annotations.lastApplied]: clean }
  return { ...secret, metadata: { ...secret.metadata, annotations: kept }, spec }
}
