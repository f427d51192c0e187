// Checks the metadata that a user may write. Fields that the server sets are passed through unchanged.
import { append } from '../../kernel/append.ts'
import { maxFaults, type Fault } from '../../kernel/errors.ts'
import { isRecord } from '../../kernel/record.ts'
import type { ObjectMeta } from '../meta.ts'
import type { Kind } from '../../resources/define-kind.ts'

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const qualifiedName = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const qualifiedRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

const maxAnnotationBytes = 262_144
/** Of each text that is no map: the longest name. */
const maxText = 253
/** Of labels, of annotations and of finalizers. They are counted before one of them is looked at. */
const maxEntries = 10_000

/** Set by the server. Dropped silently, as kubectl sends them back. */
const dropped = new Set(['selfLink', 'managedFields'])
const textFields = ['uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'] as const
const numberFields = ['generation', 'deletionGracePeriodSeconds'] as const
/** Whatever is none of these is unknown. Each has a bound: see controller/http/bounds.test.ts. */
export const metadataFields: ReadonlySet<string> = new Set<string>([
  'name',
  'generateName',
  'namespace',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  ...textFields,
  ...numberFields,
])

type Fields = Record<string, unknown>
const invalid = (field: string, given: string, rule: string): Fault => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(given.slice(0, 300))}: ${rule}`,
})

const typeInvalid = (field: string, expected: string, value: unknown): Fault => {
  const got = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  const quote =
    expected === 'string' && !['object', 'array'].includes(got) ? '; quote it in YAML' : ''
  return {
    field,
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: "${got}": ${field} must be of type ${expected}${quote}`,
  }
}

const checkName = (field: string, name: string, isLabel: boolean): Fault[] => {
  const limit = isLabel ? 63 : maxText
  if (name.length > limit) {
    return [tooLong(field, `${limit} bytes`)]
  }
  const rule = isLabel ? label : subdomain
  return rule.test(name) ? [] : [invalid(field, name, isLabel ? labelRule : subdomainRule)]
}

const checkNames = (kind: Kind, meta: Fields): { fields: Partial<ObjectMeta>; faults: Fault[] } => {
  const faults: Fault[] = []
  const fields: Partial<ObjectMeta> = { name: '' }
  for (const field of ['name', 'generateName', 'namespace'] as const) {
    const value = meta[field]
    if (value === undefined || value === null || value === '') continue
    if (typeof value !== 'string') faults.push(typeInvalid(`metadata.${field}`, 'string', value))
    else fields[field] = value
  }
  const { name, generateName, namespace } = fields
  if (generateName !== undefined && generateName.length > maxText)
    faults.push(tooLong('metadata.generateName', `${maxText} bytes`))
  if (name !== undefined && name !== '') {
    append(faults, checkName('metadata.name', name, kind.kind === 'Namespace'))
  } else if (generateName !== undefined) {
    // The random suffix makes a trailing '-' or '.' valid.
    const sample = `${generateName.slice(0, 200)}x`
    append(faults, checkName('metadata.generateName', sample, kind.kind === 'Namespace'))
  } else if (!faults.some((f) => f.field === 'metadata.name')) {
    const message = 'Required value: name or generateName is required'
    faults.push({ field: 'metadata.name', reason: 'FieldValueRequired', message })
  }
  if (namespace !== undefined) {
    if (kind.namespaced) append(faults, checkName('metadata.namespace', namespace, true))
    else delete fields.namespace
  }
  return { fields, faults }
}

const checkKey = (field: string, key: string): Fault[] => {
  const slash = key.lastIndexOf('/')
  const prefix = slash < 0 ? undefined : key.slice(0, slash)
  const name = key.slice(slash + 1)
  if (prefix !== undefined && (prefix.length > 253 || !subdomain.test(prefix))) {
    return [invalid(field, key, `prefix part ${subdomainRule}`)]
  }
  return name.length <= 63 && qualifiedName.test(name) ? [] : [invalid(field, key, qualifiedRule)]
}

const bytesOf = (fields: Fields, keys: readonly string[]): number =>
  keys.reduce((sum, key) => {
    const value = fields[key]
    return sum + key.length + (typeof value === 'string' ? Buffer.byteLength(value) : 0)
  }, 0)

const tooLong = (field: string, limit: string): Fault => ({
  field,
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${limit}`,
})

const checkTexts = (
  field: 'labels' | 'annotations',
  input: unknown,
): { texts: Record<string, string> | undefined; faults: Fault[] } => {
  if (input === undefined || input === null) return { texts: undefined, faults: [] }
  const path = `metadata.${field}`
  if (!isRecord(input)) return { texts: undefined, faults: [typeInvalid(path, 'object', input)] }
  // The entries of a large object take five times as long as its keys.
  const keys = Object.keys(input)
  const isLarge = field === 'annotations' && bytesOf(input, keys) > maxAnnotationBytes
  if (isLarge || keys.length > maxEntries) {
    const limit = isLarge ? `${maxAnnotationBytes} bytes` : `${maxEntries} entries`
    return { texts: undefined, faults: [tooLong(path, limit)] }
  }
  const faults: Fault[] = []
  const texts: Record<string, string> = {}
  for (const key of keys) {
    if (faults.length >= maxFaults) break
    // A null value (`a:` in YAML) is an empty text, as in Kubernetes.
    const value = input[key] ?? ''
    // As Kubernetes does: annotation keys are checked in lower case, label keys unchanged.
    append(faults, checkKey(path, field === 'labels' ? key : key.toLowerCase()))
    if (typeof value !== 'string') {
      faults.push(typeInvalid(`${path}.${key}`, 'string', value))
      continue
    }
    if (field === 'labels' && (value.length > 63 || (value !== '' && !qualifiedName.test(value)))) {
      faults.push(invalid(path, value, labelValueRule))
    }
    texts[key] = value
  }
  return { texts: Object.keys(texts).length === 0 ? undefined : texts, faults }
}

const checkFinalizers = (input: unknown): { finalizers: string[] | undefined; faults: Fault[] } => {
  if (input === undefined || input === null) return { finalizers: undefined, faults: [] }
  const path = 'metadata.finalizers'
  if (!Array.isArray(input))
    return { finalizers: undefined, faults: [typeInvalid(path, 'array', input)] }
  if (input.length > maxEntries)
    return { finalizers: undefined, faults: [tooLong(path, `${maxEntries} entries`)] }
  const faults: Fault[] = []
  const finalizers = new Set<string>()
  for (const [i, value] of (input as unknown[]).entries()) {
    if (faults.length >= maxFaults) break
    if (typeof value !== 'string') faults.push(typeInvalid(`${path}[${i}]`, 'string', value))
    else if (checkKey(path, value).length > 0) append(faults, checkKey(`${path}[${i}]`, value))
    else finalizers.add(value)
  }
  return { finalizers: finalizers.size === 0 ? undefined : [...finalizers], faults }
}

/**
 * Checks all fields but `ownerReferences`. Never throws. `metadata` holds the valid fields; `unknown`
 * the names of unknown fields.
 */
export const decodeMetadata = (
  kind: Kind,
  input: unknown,
): { metadata: ObjectMeta; faults: Fault[]; unknown: string[] } => {
  const meta = isRecord(input) ? input : {}
  const faults: Fault[] = []
  if (input !== undefined && input !== null && !isRecord(input)) {
    faults.push(typeInvalid('metadata', 'object', input))
  }
  const names = checkNames(kind, meta)
  const labels = checkTexts('labels', meta.labels)
  const notes = checkTexts('annotations', meta.annotations)
  const ends = checkFinalizers(meta.finalizers)
  append(faults, [...names.faults, ...labels.faults, ...notes.faults, ...ends.faults])
  const metadata: ObjectMeta = { name: '', ...names.fields }
  if (labels.texts !== undefined) metadata.labels = labels.texts
  if (notes.texts !== undefined) metadata.annotations = notes.texts
  if (ends.finalizers !== undefined) metadata.finalizers = ends.finalizers
  for (const field of textFields) {
    const value = meta[field]
    if (typeof value === 'string' && value.length > maxText)
      faults.push(tooLong(`metadata.${field}`, `${maxText} bytes`))
    else if (typeof value === 'string') metadata[field] = value
    else if (value !== undefined && value !== null) {
      faults.push(typeInvalid(`metadata.${field}`, 'string', value))
    }
  }
  for (const field of numberFields) {
    const value = meta[field]
    if (typeof value === 'number') metadata[field] = value
  }
  const unknown = Object.keys(meta)
    .filter((key) => !metadataFields.has(key) && !dropped.has(key))
    .slice(0, maxFaults)
  return { metadata, faults, unknown: unknown.map((key) => `metadata.${key}`) }
}
