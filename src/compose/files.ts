// Finds the files that Compose would read. Compose itself interprets them.
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ComposeSpec } from '../resources/kinds/compose-spec.ts'

/** The part of a spec that decides which files are used. */
export type FileChoice = Pick<ComposeSpec, 'directory' | 'files' | 'envFiles'>

/** File names that Compose looks for; the first that exists is used. */
export const bases = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
export const overrides = [
  'compose.override.yaml',
  'compose.override.yml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
]

export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (s) => s.isFile(),
    () => false,
  )

export const readIfReadable = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch(() => '')

const firstOf = async (
  directory: string,
  names: readonly string[],
): Promise<string | undefined> => {
  for (const name of names) if (await isFile(join(directory, name))) return name
  return undefined
}

/** The last assignment of a name in a dotenv text, without quotes. */
const readAssignment = (text: string, name: string): string | undefined => {
  const pattern = new RegExp(`^\\s*(?:export\\s+)?${name}\\s*[=:]\\s*(.*?)\\s*$`, 'gm')
  const raw = [...text.matchAll(pattern)].at(-1)?.[1]
  if (raw === undefined) return undefined
  const quoted = /^(["'])(.*)\1$/.exec(raw)
  return quoted?.[2] ?? raw.replace(/\s+#.*$/, '')
}

/** Absolute paths of the files from which Compose takes `${VAR}`. */
export const envFilesOf = (spec: FileChoice): string[] =>
  (spec.envFiles ?? ['.env']).map((f) => resolve(spec.directory, f))

/**
 * The files for Compose's `-f`: those of the spec, else those of COMPOSE_FILE, else the first of
 * `bases` that exists.
 */
export const chosenFiles = async (spec: FileChoice): Promise<string[]> => {
  if (spec.files !== undefined) return spec.files
  const text = (await Promise.all(envFilesOf(spec).map(readIfReadable))).join('\n')
  const list = readAssignment(text, 'COMPOSE_FILE')
  if (list !== undefined && list !== '') {
    const separator = readAssignment(text, 'COMPOSE_PATH_SEPARATOR') ?? ':'
    return list.split(separator).filter((f) => f !== '' && f !== '-')
  }
  const base = await firstOf(spec.directory, bases)
  const override = await firstOf(spec.directory, overrides)
  return base === undefined ? [] : override === undefined ? [base] : [base, override]
}
