// Redacts a bundle. Its parts contain no secrets; this is a second safeguard, for secrets that people
// wrote in a wrong place.
import * as z from 'zod'
import { isRecord } from '../../src/kernel/record.ts'
import { createMasker, mark } from '../../src/masking/masker.ts'
import { holdingOf } from '../../src/resources/holdings.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { findKind } from '../../src/kinds/index.ts'
import { plainSchema } from '../../src/resources/schema-parts.ts'

/** Names of variables and fields that hold a secret. */
const secretName = '(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|(?:api|access|private|secret|master|encryption)[-_]?key)' // prettier-ignore

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g
/** Tokens of people (sat, spt), machines (smt) and agents that join (sjt); JSON Web Tokens. */
const tokens = /\b(?:s[apmjs]t_[\w-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*)/g
const credentials = /\b(Bearer|Basic)[ \t]+[\w.~+/=-]{8,}/gi
/** A password may hold slashes; a token alone may not. */
const userInfo = /\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/"'@]*:[^\s"'@]*|[^\s/"'@]+)@/gi
/** Quoted, quoted within JSON's text, or up to the next space or bracket. */
const assignedValue = String.raw`\\"[^"\\\n]*\\"|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[^\s,;&"'{}[\]]+`
const assigned = new RegExp(
  String.raw`(${secretName}(?:\\?["'])?[ \t]*[:=][ \t]*)(${assignedValue})`,
  'gi',
)
/** Plainly no secret, so that counts and switches stay readable. */
const plain = /^(?:true|false|null|\d{1,4})$/

const hideAssigned = (_: string, head: string, value: string): string => {
  if (plain.test(value)) return head + value
  const quote = /^\\?["']/.exec(value)?.[0] ?? ''
  return `${head}${quote}${mark}${quote}`
}

/** The values of variables (name → value) that must not be shown, by the variables' names. */
export const secretValues = (environment: Readonly<Record<string, string>>): string[] =>
  Object.entries(environment)
    .filter(([name]) => new RegExp(`${secretName}|key|auth|dsn|url$`, 'i').test(name))
    .filter(([, value]) => !/^(?:https?:\/\/[^@]*|\/[\w./-]*)$/.test(value))
    .map(([, value]) => value)

/**
 * Hides `known` in all the forms in which programs print it, and everything that looks like a
 * credential.
 */
export const createRedactor = (plainValues: readonly string[]): ((text: string) => string) => {
  const masker = createMasker(plainValues.map((value) => Buffer.from(value)))
  return (text) =>
    masker
      .mask(text)
      .replace(privateKey, mark)
      .replace(tokens, mark)
      .replace(credentials, `$1 ${mark}`)
      .replace(userInfo, `$1${mark}@`)
      .replace(assigned, hideAssigned)
}

const ownAnnotation = /^(?:[\w.-]+\.)?stagely\.dev\//

/** What the schema says that it holds: no value; and of an address the host, as its path may be a password. */
const cleaned = (schema: z.ZodType | undefined, value: unknown): unknown => {
  const plain = schema && plainSchema(schema)
  if (plain === undefined) return value
  const holds = holdingOf(plain)
  if (holds === 'value') return mark
  if (holds === 'address' && typeof value === 'string')
    return URL.canParse(value) ? `${new URL(value).origin}/${mark}` : mark
  if (plain instanceof z.ZodArray && Array.isArray(value))
    return value.map((item) => cleaned(plain.element as z.ZodType, item))
  if (!(plain instanceof z.ZodObject) || !isRecord(value)) return value
  const shape = plain.shape as Readonly<Record<string, z.ZodType | undefined>>
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, cleaned(shape[name], inner)]),
  )
}

/**
 * An object without the parts in which people may have written a secret: only the names of annotations
 * that are not Stagely's, no field that could be a value, no path of a webhook, no managedFields.
 */
export const cleanObject = (object: KubeObject): object => {
  const { managedFields: _managedFields, annotations, ...metadata } = object.metadata as
    KubeObject['metadata'] & { managedFields?: unknown } // prettier-ignore
  const shown = Object.entries(annotations ?? {}).map(([key, value]) => [
    key,
    ownAnnotation.test(key) ? value : mark,
  ])
  const { spec } = object
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(shown.length > 0 && { annotations: Object.fromEntries(shown) as object }),
    },
    ...(spec !== undefined && { spec: cleaned(findKind(object.kind)?.spec, spec) }),
  }
}
