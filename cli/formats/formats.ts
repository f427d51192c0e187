// The formats by their names.
import { usageError } from '../errors.ts'
import { dotenvEntries } from './dotenv.ts'
import type { ParsedEntries } from './entries.ts'
import { jsonEntries, yamlEntries } from './structured.ts'

const readers: Record<string, (text: string) => ParsedEntries> = {
  dotenv: dotenvEntries,
  json: jsonEntries,
  yaml: yamlEntries,
}

/** Chosen by --format, else by the file's name: .json, .yaml, and dotenv for all others. */
export const formatNamed = (format: string | undefined, file: string): string => {
  const byName = /\.json$/i.test(file) ? 'json' : /\.ya?ml$/i.test(file) ? 'yaml' : 'dotenv'
  return format ?? byName
}

export const readerOf = (
  format: string | undefined,
  file: string,
): ((text: string) => ParsedEntries) => {
  const reader = readers[formatNamed(format, file)]
  if (reader === undefined) {
    throw usageError(`--format ${format ?? ''} is not known; use dotenv, json or yaml`)
  }
  return reader
}
