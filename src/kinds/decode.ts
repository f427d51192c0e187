// Untyped input → an object that the store accepts, or every fault at once. A message never repeats the
// content of spec.value or spec.valueBase64.
import * as z from 'zod'
import { append } from '../kernel/append.ts'
import { maxFaults, type Fault } from '../kernel/errors.ts'
import { frozen } from '../kernel/frozen.ts'
import { isRecord, hasMoreValues } from '../kernel/record.ts'
import { isStorable } from '../kernel/storable.ts'
import { faultOfIssue, fieldPath } from '../resources/validation/faults.ts'
import type { KubeObject, ObjectMeta } from '../resources/meta.ts'
import { decodeMetadata } from '../resources/validation/metadata.ts'
import { ownerReferences } from '../resources/owner-references.ts'
import { apiVersionOf } from '../resources/kind-names.ts'
import type { Kind } from '../resources/define-kind.ts'
import { findKind, kinds } from './index.ts'
import { valueFields } from './secret/value.ts'

interface Decoded {
  /** Present when there are no faults: with defaults, without unknown fields and status. */
  readonly object?: KubeObject
  readonly faults: Fault[]
  /** Paths of fields that the schema does not know, at any depth: `spec.compose.file`. */
  readonly unknown: string[]
}

interface DecodedPart {
  readonly value?: Record<string, unknown>
  /** The checked input, without nulls and unknown fields. */
  readonly given?: Record<string, unknown>
  readonly faults: Fault[]
  readonly unknown: string[]
}

type Fields = Record<string, unknown>

const secretFields = new Set(valueFields.map((field) => `spec.${field}`))
const isSecret = (field: string): boolean => secretFields.has(field)

/**
 * Drops nulls: null means absent, as in Kubernetes. But an empty `value:` is a mistake, and must be
 * reported.
 */
const dropNulls = (value: unknown, field: string): unknown => {
  if (Array.isArray(value))
    return (value as unknown[]).map((v, i) => dropNulls(v, `${field}[${i}]`))
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, v]) => [key, dropNulls(v, `${field}.${key}`)] as const)
      .filter(([key, v]) => v !== null || isSecret(`${field}.${key}`)),
  )
}

const removeKeys = (root: Fields, issue: z.core.$ZodIssueUnrecognizedKeys): void => {
  let parent: unknown = root
  for (const part of issue.path) parent = (parent as Record<PropertyKey, unknown>)[part]
  for (const key of issue.keys) Reflect.deleteProperty(parent as object, key)
}

/** Texts that Postgres cannot store. `passes` is true for fields that are stored as bytes. */
export const unstorable = (
  value: unknown,
  field: string,
  passes: (field: string) => boolean = isSecret,
): Fault[] => {
  if (typeof value === 'string') {
    if (passes(field) || isStorable(value)) return []
    const message = 'Invalid value: must not hold a NUL character or half a surrogate pair'
    return [{ field, reason: 'FieldValueInvalid', message }]
  }
  if (Array.isArray(value))
    return (value as unknown[]).flatMap((v, i) => unstorable(v, `${field}[${i}]`, passes))
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([key, v]) =>
    unstorable(v, field === '' ? key : `${field}.${key}`, passes),
  )
}

/** No valid part has nearly so many. They are counted before one of them is looked at. */
const maxValues = 20_000

/** Checks one part (`spec`, `status`) of an object by its schema. */
const decodePart = (schema: z.ZodType, base: string, input: unknown): DecodedPart => {
  const given = hasMoreValues(input, maxValues) ? input : dropNulls(input ?? {}, base)
  if (!isRecord(given)) {
    const got = Array.isArray(given) ? 'array' : typeof given
    const message = `Invalid value: "${got}": ${base} in body must be of type object: "${got}"`
    return { faults: [{ field: base, reason: 'FieldValueTypeInvalid', message }], unknown: [] }
  }
  if (hasMoreValues(given, maxValues)) {
    const message = `Too long: may not hold more than ${maxValues} values`
    return { faults: [{ field: base, reason: 'FieldValueTooLong', message }], unknown: [] }
  }
  const unknown: string[] = []
  // Unknown fields are removed and the rest is checked again, so that all faults are found.
  for (;;) {
    const result = schema.safeParse(given)
    if (result.success) {
      const faults = unstorable(result.data, base)
      return faults.length > 0
        ? { faults, unknown, given }
        : { value: result.data as Fields, faults, unknown, given }
    }
    const strange = result.error.issues.filter((issue) => issue.code === 'unrecognized_keys')
    if (strange.length === 0) {
      const faults = result.error.issues
        .slice(0, maxFaults)
        .map((issue) => faultOfIssue(issue, base, given, isSecret))
      return { faults, unknown, given }
    }
    for (const issue of strange) {
      const keys = issue.keys.slice(0, maxFaults - unknown.length)
      append(
        unknown,
        keys.map((key) => fieldPath(base, [...issue.path, key])),
      )
      removeKeys(given, issue)
    }
  }
}

const metadataParts = z.strictObject({ ownerReferences: ownerReferences.optional() })

const noOwners: DecodedPart = { faults: [], unknown: [] }

const decodeOwners = (metadata: unknown): DecodedPart => {
  const given = isRecord(metadata) ? (metadata.ownerReferences ?? undefined) : undefined
  if (given === undefined) return noOwners
  return decodePart(metadataParts, 'metadata', { ownerReferences: given })
}

/** Checks the whole `metadata`. */
const decodeMeta = (kind: Kind, input: unknown): ReturnType<typeof decodeMetadata> => {
  const { metadata, faults, unknown } = decodeMetadata(kind, input)
  const owners = decodeOwners(input)
  const { ownerReferences: references = [] } = (owners.value ?? {}) as Pick<
    ObjectMeta,
    'ownerReferences'
  >
  if (references.length > 0) metadata.ownerReferences = references
  return {
    metadata,
    faults: [...faults, ...unstorable(metadata, 'metadata'), ...owners.faults],
    unknown: [...unknown, ...owners.unknown],
  }
}

const topLevel = new Set(['apiVersion', 'kind', 'metadata', 'spec', 'status'])

const findByVersion = (input: Fields): { kind?: Kind; faults: Fault[] } => {
  const faults: Fault[] = []
  for (const field of ['apiVersion', 'kind'] as const) {
    if (input[field] === undefined || input[field] === null || input[field] === '') {
      faults.push({ field, reason: 'FieldValueRequired', message: 'Required value' })
    } else if (typeof input[field] !== 'string') {
      const message = `Invalid value: "${typeof input[field]}": ${field} must be of type string`
      faults.push({ field, reason: 'FieldValueTypeInvalid', message })
    }
  }
  if (faults.length > 0) return { faults }
  const kind = findKind(input.kind as string)
  const unsupported = (field: string, values: readonly string[]): Fault => ({
    field,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(input[field])}: supported values: ${values.map((v) => JSON.stringify(v)).join(', ')}`,
  })
  // Reports come through the agents' endpoint only: a manifest must not forge one.
  if (kind === undefined || kind.internal === true) {
    const served = kinds.filter((k) => k.internal !== true).map((k) => k.kind)
    return { faults: [unsupported('kind', served)] }
  }
  if (input.apiVersion === apiVersionOf(kind)) return { kind, faults: [] }
  return { faults: [unsupported('apiVersion', [apiVersionOf(kind)])] }
}

/** A core/v1 Event has its fields at the top level; here they are its spec. */
const eventFields = (input: Fields): Fields =>
  Object.fromEntries(Object.entries(input).filter(([key]) => !topLevel.has(key)))

/** Valid objects, which are frozen: the API checks an object first, and the store does not check it again. */
const good = new WeakSet<object>()

/**
 * Checks one object of any kind. Never throws. Status is neither checked nor passed on.
 * `resourceVersion`, `uid` and other fields that the server sets are passed on unchecked. The object is frozen.
 */
export const decodeObject = (input: unknown): Decoded => {
  if (!isRecord(input)) {
    const message = 'Invalid value: must be an object with apiVersion, kind, metadata and spec'
    return { faults: [{ field: '', reason: 'FieldValueTypeInvalid', message }], unknown: [] }
  }
  if (good.has(input)) return { object: input as unknown as KubeObject, faults: [], unknown: [] }
  const { kind, faults: versionFaults } = findByVersion(input)
  if (kind === undefined) return { faults: versionFaults, unknown: [] }
  const isFlat = kind.kind === 'Event' && !isRecord(input.spec)
  const meta = decodeMeta(kind, input.metadata)
  const part = isFlat
    ? decodePart(kind.spec, '', eventFields(input))
    : decodePart(kind.spec, 'spec', input.spec)
  const faults = [...meta.faults, ...part.faults]
  const { check } = kind
  if (check !== undefined && isRecord(input.spec) && part.given !== undefined) {
    const cross = check(part.given)
    append(
      faults,
      cross.filter((f) => !faults.some((o) => o.field === f.field)),
    )
  }
  const strange = isFlat
    ? []
    : Object.keys(input)
        .filter((key) => !topLevel.has(key))
        .slice(0, maxFaults)
  const unknown = [...strange, ...meta.unknown, ...part.unknown]
  if (faults.length > 0) return { faults, unknown }
  const object: KubeObject = frozen({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: meta.metadata,
    spec: part.value ?? {},
  })
  good.add(object)
  return { object, faults, unknown }
}

/** Checks the status of a kind. A kind without a status accepts nothing. */
export const decodeStatus = (kind: Kind, input: unknown): DecodedPart =>
  kind.status === undefined
    ? { faults: [], unknown: [], value: {} }
    : decodePart(kind.status, 'status', input)
