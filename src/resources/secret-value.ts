// What a secret's value may be. Messages never repeat a byte of it.
import type { Fault } from '../kernel/errors.ts'
import { maxEnvEntryBytes, maxFileBytes } from './stagelysecret.ts'
import { formatFault, type FormatRule } from './value-format.ts'
import { parseTemplate } from './value-template.ts'

/** Fields of a secret's spec that are taken and never shown. */
export const valueFields = ['value', 'valueBase64', 'sealedValue'] as const

export interface ValueFields {
  readonly value?: unknown
  readonly valueBase64?: unknown
}

/** The bytes that the spec gives, or undefined when it gives none (or something that is not text). */
export const valueBytes = ({ value, valueBase64 }: ValueFields): Buffer | undefined => {
  if (typeof value === 'string') return Buffer.from(value, 'utf8')
  if (typeof valueBase64 === 'string') return Buffer.from(valueBase64, 'base64')
  return undefined
}

const isUtf8 = (bytes: Buffer): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

export interface ValueRule extends FormatRule {
  readonly type: 'env' | 'file'
  readonly key: string
  /** The value is a template. */
  readonly references?: boolean | undefined
}

/**
 * Faults of the bytes as a value of this secret: its type's limits, and the format that it declares. Of
 * a template the format cannot be known here: the store checks what it is filled to.
 */
export const checkValue = (rule: ValueRule, bytes: Buffer, field = 'spec.value'): Fault[] =>
  rule.references === true
    ? [...checkBytes(rule, bytes, field), ...checkTemplate(bytes, field)]
    : checkFilled(rule, bytes, field)

const checkTemplate = (bytes: Buffer, field: string): Fault[] => {
  const wrong = parseTemplate(bytes)
  if (typeof wrong !== 'string') return []
  return [{ field, reason: 'FieldValueInvalid', message: `Invalid value: it ${wrong}` }]
}

/** The same of a value that is no template, or of what one was filled to. */
export const checkFilled = (rule: ValueRule, bytes: Buffer, field = 'spec.value'): Fault[] => {
  const faults = checkBytes(rule, bytes, field)
  const wrong = faults.length > 0 ? undefined : formatFault(rule, bytes)
  if (wrong === undefined) return faults
  const message = `Invalid value: it ${wrong} (format: ${rule.format ?? ''})`
  return [{ field, reason: 'FieldValueInvalid', message }]
}

/** What Linux lets pass for env, 1 MiB for a file. */
const checkBytes = ({ type, key }: ValueRule, bytes: Buffer, field: string): Fault[] => {
  const fault = (reason: Fault['reason'], message: string): Fault[] => [{ field, reason, message }]
  if (type === 'file') {
    return bytes.length > maxFileBytes
      ? fault('FieldValueTooLong', `Too long: may not be more than ${maxFileBytes} bytes`)
      : []
  }
  if (bytes.includes(0)) {
    return fault(
      'FieldValueInvalid',
      'Invalid value: an environment variable cannot hold a NUL byte; use type: file',
    )
  }
  if (!isUtf8(bytes)) {
    return fault(
      'FieldValueInvalid',
      'Invalid value: an environment variable must be UTF-8 text; use type: file',
    )
  }
  // KEY=VALUE and the NUL that ends it.
  const room = maxEnvEntryBytes - Buffer.byteLength(key) - 2
  return bytes.length > room
    ? fault(
        'FieldValueTooLong',
        `Too long: may not be more than ${room} bytes with this key (Linux limit); use type: file`,
      )
    : []
}
