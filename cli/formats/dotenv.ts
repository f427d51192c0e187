// The .env format for the command line: its text comes in as bytes of values, and goes out quoted.
import { parseDotenv as parseText } from '../../src/formats/dotenv.ts'
import type { ParsedEntries } from './entries.ts'

export const dotenvEntries = (text: string): ParsedEntries => {
  const { entries, faults } = parseText(text)
  return {
    entries: entries.map((entry) => ({ ...entry, value: Buffer.from(entry.value) })),
    faults,
  }
}

const plain = /^[A-Za-z0-9_./:@%+,=-]+$/

/** One line for each entry; Compose and parseDotenv read back exactly the same text. */
export const renderDotenv = (entries: readonly { key: string; value: string }[]): string =>
  entries.map(({ key, value }) => `${key}=${quoted(value)}\n`).join('')

const quoted = (value: string): string => {
  if (plain.test(value)) return value
  const escapes: Record<string, string> = { '\n': '\\n', '\r': '\\r' }
  return `"${value.replace(/[\\"$\n\r]/g, (c) => escapes[c] ?? `\\${c}`)}"`
}
