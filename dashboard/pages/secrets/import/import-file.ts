// Reading a file of secrets in this page, by the parsers of the command line. YAML is read by a library that comes
// when it is needed.
import { parseDotenv } from '../../../../src/formats/dotenv.ts'
import {
  parseJsonSecrets,
  valueNames,
  type CheckedLine,
  type CheckLine,
  type Structured,
} from '../../../../src/formats/structured.ts'
import { yamlFile } from '../../../loading/yaml-file.ts'

export const importFormats = ['dotenv', 'json', 'yaml'] as const
export type ImportFormat = (typeof importFormats)[number]

/** By the name of the file, as `stagely secrets import` does; of a text without a name, by how it begins. */
export const formatOf = (name: string | undefined, text: string): ImportFormat => {
  if (name === undefined) return /^\s*[{[]/.test(text) ? 'json' : 'dotenv'
  if (/\.json$/i.test(name)) return 'json'
  return /\.ya?ml$/i.test(name) ? 'yaml' : 'dotenv'
}

/** Texts that a secret of a list may have, and its other fields. */
export const textFields = [
  ...['key', 'scope', 'stagelet', 'audience', 'type', 'value', 'value_base64', 'format', 'pattern'],
  'visibility',
  ...['file_path', 'file_permissions', 'file_target', 'file_env_var'],
]
export const otherFields = [
  'environments',
  'file_uid',
  'file_gid',
  'references',
  'value_from',
  'expiry',
]

/** What can be said without the controller, which checks each field in the review. */
const checkLine: CheckLine = (line) => {
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return 'must be an object'
  const fields = line as Readonly<Record<string, unknown>>
  const names = Object.keys(fields).filter((name) => fields[name] !== undefined)
  const unknown = names.find((name) => !textFields.includes(name) && !otherFields.includes(name))
  if (unknown !== undefined) return `has the field ${unknown}, which secrets do not have`
  const noText = names.find((name) => textFields.includes(name) && typeof fields[name] !== 'string')
  if (noText !== undefined) return `${noText} must be text; quote it`
  if (fields['key'] === undefined) return 'has no key'
  return valueNames.filter((name) => fields[name] !== undefined).length === 1
    ? (line as CheckedLine)
    : 'must have one of value, value_base64 and value_from'
}

/** `onWait` gets the reason why the YAML parser could not be loaded. */
export const readSecrets = async (
  format: ImportFormat,
  text: string,
  onWait?: (error: unknown) => void,
): Promise<Structured> => {
  if (format === 'json') return parseJsonSecrets(text, checkLine)
  if (format === 'yaml') {
    const { parseYamlSecrets } = await yamlFile.get(onWait)
    return parseYamlSecrets(text, checkLine)
  }
  const { entries, faults } = parseDotenv(text)
  return { lines: entries, faults, isDotenv: true }
}
