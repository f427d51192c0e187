// Finds the files that Compose would read. Compose itself interprets them.
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ComposeSpec } from '../kinds/stagelet/compose.ts'

/** The part of a spec that decides which files are used. */
type FileChoice = Pick<ComposeSpec, 'directory' | 'files' | 'envFiles'>

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

/** Bytes. No file that says what a stack is comes near it. */
const mostBytes = 4 * 2 ** 20

/**
 * Why such a file of a stack must not be read; undefined where it may be, or is not there. A container that may write
 * the folder can put a pipe in its place: whoever opens one waits for ever, and so does Compose.
 */
export const whyNotReadable = async (path: string): Promise<string | undefined> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || found.isDirectory()) return undefined
  if (!found.isFile()) return 'is no regular file, but a pipe, a socket or a device'
  return found.size > mostBytes ? 'has more than 4 MiB' : undefined
}

/** The text of a file of a stack; '' for what is none, and for what is larger. Never waits. */
export const readIfReadable = async (path: string): Promise<string> => {
  // Looked at before it is opened too: to open a device may have an effect of its own.
  if ((await whyNotReadable(path)) !== undefined) return ''
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return ''
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size > mostBytes) return ''
    return await file.readFile('utf8')
  } catch {
    return ''
  } finally {
    await file.close()
  }
}

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
