// The override that carries secrets into Compose. Written by hand because every byte counts: what
// YAML and Compose's interpolation do to each kind of scalar was found by experiment. Keys of maps
// are not interpolated, values are; non-ASCII goes as \x \u \U since raw control and some
// non-characters are refused, and surrogate pairs are.
import { digestLabel } from '../src/resources/meta.ts'

export interface ServiceOverride {
  readonly service: string
  readonly digest: string
  readonly entries: readonly { readonly key: string; readonly value: Buffer }[]
}

const plain = /^[ !#%-[\]-~]*$/ // printable ASCII but for `"`, `$` and `\`
const special = /["\\$]|[^ -~]/gu

const escapeOf = (char: string): string => {
  if (char === '"' || char === '\\') return `\\${char}`
  if (char === '$') return '$$'
  const code = char.codePointAt(0)!
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\U${code.toString(16).padStart(8, '0')}`
}

const quoteValue = (text: string): string =>
  plain.test(text) ? `"${text}"` : `"${text.replace(special, escapeOf)}"`

const quoteKey = (text: string): string =>
  plain.test(text)
    ? `"${text}"`
    : `"${text.replace(special, (char) => (char === '$' ? char : escapeOf(char)))}"`

/**
 * The override file for the services that see a secret; the others must not be in `services`.
 * Values must be UTF-8 without NUL (see validate-values.ts). Linear in the output.
 */
export const renderOverride = (services: readonly ServiceOverride[]): string => {
  if (services.length === 0) return 'services: {}\n'
  const lines = ['services:']
  for (const { service, digest, entries } of services) {
    lines.push(`  ${quoteKey(service)}:`, '    environment:')
    for (const { key, value } of entries)
      lines.push(`      ${quoteKey(key)}: ${quoteValue(value.toString('utf8'))}`)
    lines.push('    labels:', `      ${quoteKey(digestLabel)}: ${quoteValue(digest)}`)
  }
  return lines.join('\n') + '\n'
}
