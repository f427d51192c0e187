// Translates zod's issues into faults in Kubernetes' words.
import type * as z from 'zod'
import type { Fault } from '../../kernel/errors.ts'

export type Path = readonly PropertyKey[]

export const forbiddenField = (field: string, message: string): Fault => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${message}`,
})

/** `['compose', 'files', 0]` under `spec` is `spec.compose.files[0]`. */
export const fieldPath = (base: string, path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? String(part) : `${text}.${String(part)}`
  }, base)

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[part]
        : undefined,
    root,
  )

const typeName = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** Fields that are meant to hold a URL, also where the text in them is none. */
const urlField = /(^|\.)(url|\w+Url|address|endpoint|issuer)$/

/** Of a URL the host alone: a name, a password, the path or the query may be what lets somebody in. */
const shownText = (text: string, field: string): string => {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0]
  if (scheme === undefined && !urlField.test(field)) return text.slice(0, 100)
  const [host = ''] = /^[^\s/?#]*/.exec(text.slice(scheme?.length ?? 0)) ?? []
  if (text.includes('@')) return `${scheme ?? ''}…`
  const known = `${scheme ?? ''}${host}`
  return known === text ? text.slice(0, 100) : `${known.slice(0, 100)}/…`
}

/** The given value, as Kubernetes shows it; undefined for a value that must not be repeated. */
const shown = (value: unknown, field: string, secret: boolean): string | undefined => {
  if (secret) return undefined
  if (typeof value === 'string') return JSON.stringify(shownText(value, field))
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

const zodTypeNames: Record<string, string> = { int: 'integer', record: 'object', map: 'object' }

const typeFault = (field: string, issue: z.core.$ZodIssueInvalidType, given: unknown): Fault => {
  const own = issue.message.startsWith('Invalid input') ? undefined : issue.message
  if (given === undefined) {
    const message = own === undefined ? 'Required value' : `Required value: ${own}`
    return { field, reason: 'FieldValueRequired', message }
  }
  const expected = zodTypeNames[issue.expected] ?? issue.expected
  const got = typeName(given)
  const quote =
    expected === 'string' && got !== 'object' && got !== 'array' ? '; quote it in YAML' : ''
  const what = own ?? `${field} in body must be of type ${expected}: "${got}"${quote}`
  return { field, reason: 'FieldValueTypeInvalid', message: `Invalid value: "${got}": ${what}` }
}

const sizeFault = (
  field: string,
  issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall,
  given: string | undefined,
): Fault => {
  const big = issue.code === 'too_big'
  const limit = String(big ? issue.maximum : issue.minimum)
  const prefix = given === undefined ? 'Invalid value' : `Invalid value: ${given}`
  if (issue.origin === 'string' || issue.origin === 'array') {
    const unit = issue.origin === 'string' ? 'characters' : 'items'
    if (big) {
      return {
        field,
        reason: 'FieldValueTooLong',
        message: `Too long: may not be more than ${limit} ${unit}`,
      }
    }
    return {
      field,
      reason: 'FieldValueInvalid',
      message: `${prefix}: must have at least ${limit} ${unit}`,
    }
  }
  const order = big ? 'less' : 'greater'
  return {
    field,
    reason: 'FieldValueInvalid',
    message: `${prefix}: must be ${order} than or equal to ${limit}`,
  }
}

/**
 * The fault for one issue of zod. `root` is the whole input, `base` the path that the issue's own path
 * starts from. `isSecret` is true for fields whose content must not be repeated.
 */
export const faultOfIssue = (
  issue: z.core.$ZodIssue,
  base: string,
  root: unknown,
  isSecret: (field: string) => boolean,
): Fault => {
  const field = fieldPath(base, issue.path)
  const given = valueAt(root, issue.path)
  // Whatever was given in place of a whole object may hold a secret.
  const text = shown(given, field, field === '' || isSecret(field))
  if (issue.code === 'invalid_type') return typeFault(field, issue, given)
  if (issue.code === 'too_big' || issue.code === 'too_small') return sizeFault(field, issue, text)
  if (issue.code === 'invalid_value') {
    if (given === undefined)
      return { field, reason: 'FieldValueRequired', message: 'Required value' }
    const supported = issue.values.map((v) => JSON.stringify(v)).join(', ')
    const what = text ?? `"${typeName(given)}"`
    const message = `Unsupported value: ${what}: supported values: ${supported}`
    return { field, reason: 'FieldValueNotSupported', message }
  }
  const prefix = text === undefined ? 'Invalid value' : `Invalid value: ${text}`
  return { field, reason: 'FieldValueInvalid', message: `${prefix}: ${issue.message}` }
}
