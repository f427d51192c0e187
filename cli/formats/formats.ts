// The formats by their names.
import { usageError } from '../errors.ts'
import { parseDotenv } from './dotenv.ts'
import type { Parsed } from './entries.ts'
import { parseJsonSecrets, parseYamlSecrets } from './structured.ts'

const readers: Record<string, (text: string) => Parsed> = {
  dotenv: parseDotenv,
  json: parseJsonSecrets,
  yaml: parseYamlSecrets,
}

/** Chosen by --format, else by the file's name: .json, .yaml, and dotenv for all others. */
export const readerOf = (format: string | undefined, file: string): ((text: string) => Parsed) => {
  const byName = /\.json$/i.test(file) ? 'json' : /\.ya?ml$/i.test(file) ? 'yaml' : 'dotenv'
  const reader = readers[format ?? byName]
  if (reader === undefined) {
    throw usageError(`--format ${format ?? ''} is not known; use dotenv, json or yaml`)
  }
  return reader
}
