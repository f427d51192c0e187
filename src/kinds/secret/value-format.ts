// Checks a value against the declared format of its secret. A reason never repeats a byte of the value.
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import vm from 'node:vm'
import { createMatchTime, processMeters } from '../../resources/validation/match-time.ts'
import type { Format } from './value-source.ts'

export interface FormatRule {
  readonly format?: Format | undefined
  /** The pattern, for the format `regex`. */
  readonly pattern?: string | undefined
}

/** A longer value never matches: patterns are for tokens, not for documents. */
export const maxPatternInput = 65_536
const isJson = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch {
    return 'is not JSON' // the parser's message quotes the text
  }
}

const isUrl = (text: string): string | undefined =>
  /\s/.test(text) || !URL.canParse(text)
    ? 'is not an absolute URL, such as https://host/path'
    : undefined

const armour = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----/g

const parses = (block: string, label: string): boolean => {
  try {
    if (label === 'CERTIFICATE') new X509Certificate(block)
    else if (label.endsWith('PUBLIC KEY')) createPublicKey(block)
    else if (label.endsWith('PRIVATE KEY') && !label.startsWith('ENCRYPTED')) {
      // OpenSSH's key format is PEM as well, but OpenSSL cannot read it.
      if (!label.startsWith('OPENSSH')) createPrivateKey(block)
    }
    return true
  } catch {
    return false
  }
}

const isPem = (text: string): string | undefined => {
  const blocks = [...text.matchAll(armour)]
  if (blocks.length === 0)
    return 'holds no complete PEM block (-----BEGIN …----- to -----END …-----)'
  const bad = blocks.findIndex(([block, label]) => !parses(block, label ?? ''))
  return bad === -1 ? undefined : `block ${bad + 1} of its PEM cannot be read`
}

const isBase64 = (text: string): string | undefined => {
  const clean = text.replace(/\s/g, '')
  const standard = Buffer.from(clean, 'base64').toString('base64') === clean
  return clean !== '' && standard ? undefined : 'is not standard base64 with its padding'
}

const isInteger = (text: string): string | undefined =>
  /^-?(0|[1-9]\d{0,29})$/.test(text) ? undefined : 'is not a whole number in decimal'

const isPort = (text: string): string | undefined =>
  /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535 ? undefined : 'is not a port (1 to 65535)'

/**
 * V8 checks the time limit of a vm script while it backtracks, so that no pattern can block the
 * process.
 */
const sandbox = vm.createContext(Object.create(null) as object)
const matcher = new vm.Script('new RegExp(pattern, "u").test(text)')

const inTime = createMatchTime(processMeters)

const matches = (text: string, pattern: string): string | undefined => {
  if (text.length > maxPatternInput)
    return `is longer than the ${maxPatternInput} characters that a pattern may look at`
  Object.assign(sandbox, { pattern: `^(?:${pattern})$`, text })
  const matched = inTime((timeout) => matcher.runInContext(sandbox, { timeout }) as boolean)
  Object.assign(sandbox, { pattern: '', text: '' })
  if ('found' in matched) return matched.found ? undefined : 'does not match spec.pattern'
  const late = matched.isShort ? ', after other slow ones' : ''
  return `takes spec.pattern more than ${matched.limitMs} ms to match${late}; write a pattern that does not backtrack`
}

/** undefined when the pattern compiles; else the error. */
export const patternFault = (pattern: string): string | undefined => {
  try {
    new RegExp(pattern, 'u')
    return undefined
  } catch {
    return 'is not a regular expression of JavaScript (with flag u)'
  }
}

const checks: Record<Exclude<Format, 'regex'>, (text: string) => string | undefined> = {
  json: isJson,
  url: isUrl,
  pem: isPem,
  base64: isBase64,
  port: isPort,
  integer: isInteger,
}

/** The fault of the value, as a sentence without its subject; undefined: no fault. */
export const formatFault = ({ format, pattern }: FormatRule, value: Buffer): string | undefined => {
  if (format === undefined) return undefined
  const text = value.toString('utf8')
  return format === 'regex' ? matches(text, pattern ?? '') : checks[format](text)
}
