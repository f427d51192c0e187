// Checks a secret's value. Messages never repeat a byte of it.
import { isUtf8 } from 'node:buffer'
import type * as z from 'zod'
import type { Fault } from '../../kernel/errors.ts'
import { holdingOf } from '../../resources/holdings.ts'
import { plainSchema } from '../../resources/schema-parts.ts'
import { maxEnvEntryBytes, maxFileBytes, secretSpec } from './schema.ts'
import { formatFault, type FormatRule } from './value-format.ts'
import { parseTemplate } from './value-template.ts'

/** Fields of a secret's spec that are accepted and never shown. */
export const valueFields: readonly string[] = Object.entries<z.ZodType>(secretSpec.shape).flatMap(
  ([name, schema]) => (holdingOf(plainSchema(schema)) === 'value' ? [name] : []),
)

/** Fields of a secret's spec of which one at most says what the value is. */
export const waysToGive: readonly string[] = [...valueFields, 'valueFrom']

interface ValueFields {
  readonly value?: unknown
  readonly valueBase64?: unknown
}

/** The bytes of the spec's value; undefined when it has none, or one that is not text. */
export const valueBytes = ({ value, valueBase64 }: ValueFields): Buffer | undefined => {
  if (typeof value === 'string') return Buffer.from(value, 'utf8')
  if (typeof valueBase64 === 'string') return Buffer.from(valueBase64, 'base64')
  return undefined
}

export interface ValueRule extends FormatRule {
  readonly type: 'env' | 'file'
  readonly key: string
  /** True when the value is a template. */
  readonly references?: boolean | undefined
}

/**
 * Faults of the bytes as a value of this secret: limits of its type, and its declared format. The
 * format of a template cannot be checked here: the store checks the finished value.
 */
export const checkValue = (rule: ValueRule, bytes: Buffer, field = 'spec.value'): Fault[] =>
  rule.references === true
    ? [...checkBytes(rule, bytes, field), ...checkTemplate(bytes, field)]
    : checkRendered(rule, bytes, field)

const checkTemplate = (bytes: Buffer, field: string): Fault[] => {
  const wrong = parseTemplate(bytes)
  if (typeof wrong !== 'string') return []
  return [{ field, reason: 'FieldValueInvalid', message: `Invalid value: it ${wrong}` }]
}

/** Faults of a value without references, or of a template's finished value. */
export const checkRendered = (rule: ValueRule, bytes: Buffer, field = 'spec.value'): Fault[] => {
  const faults = checkBytes(rule, bytes, field)
  const wrong = faults.length > 0 ? undefined : formatFault(rule, bytes)
  if (wrong === undefined) return faults
  const message = `Invalid value: it ${wrong} (format: ${rule.format ?? ''})`
  return [{ field, reason: 'FieldValueInvalid', message }]
}

/** env: the limit of Linux; file: 1 MiB. */
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
  // KEY=VALUE and the NUL at its end.
  const room = maxEnvEntryBytes - Buffer.byteLength(key) - 2
  return bytes.length > room
    ? fault(
        'FieldValueTooLong',
        `Too long: may not be more than ${room} bytes with this key (Linux limit); use type: file`,
      )
    : []
}
