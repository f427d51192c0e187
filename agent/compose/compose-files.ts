// Finds the files of a stagelet that Compose may read, and tells when they change.
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  bases,
  chosenFiles,
  envFilesOf,
  isFile,
  overrides,
  readIfReadable,
  whyNotReadable,
} from '../../src/compose/files.ts'
import type { ComposeSpec } from '../../src/kinds/stagelet/compose.ts'
import {
  checkAllowed,
  checkNotOwn,
  realPath,
  type AllowedFolders,
  type StackFault,
} from './allowed-folders.ts'
import { withIncluded } from './included-files.ts'
import { unique } from './service-model.ts'

interface ComposeFiles {
  /** As given to Compose with `-f`, relative to the directory or absolute. */
  readonly files: readonly string[]
  /** Absolute paths of the env files that set `${VAR}`. */
  readonly envFiles: readonly string[]
  /** Absolute paths of all files that are known to matter, for the signature. */
  readonly watched: readonly string[]
  /** Absolute paths from which Compose takes what the stack is, also where a file may come to be. */
  readonly steering: readonly string[]
}

export type FilesResult = { readonly files: ComposeFiles } | { readonly fault: StackFault }

const fileWord = /[^\s'"[\]{},]+\.ya?ml\b|[^\s'"[\]{},:]*\.env[\w.-]*|[^\s'"[\]{},:]+\.env\b/g
/** Longer words are no file names, and a search in large inline data would take minutes. */
const maxWord = 1024

/** Words in a Compose file that may name files which it includes, extends or reads variables from. */
export const fileWordsOf = (text: string): string[] =>
  text
    .split(/[\s'"[\]{},]+/)
    .filter((word) => word.length <= maxWord && /\.(ya?ml|env)/.test(word))
    .flatMap((word) => [...word.matchAll(fileWord)].map(([found]) => found))

interface NamedFiles {
  readonly files: readonly string[]
  /** What lies at the names of other files, and is none: a pipe, a device. */
  readonly odd: readonly string[]
}

/** Compose files and the files that their text names, to the depth that includes go in practice. */
const namedFiles = async (paths: readonly string[]): Promise<NamedFiles> => {
  const odd = new Set<string>()
  const found = new Set(paths)
  let layer = [...paths]
  for (let depth = 0; depth < 4 && layer.length > 0 && found.size < 200; depth++) {
    const next: string[] = []
    for (const path of layer) {
      for (const word of fileWordsOf(await readIfReadable(path))) {
        const named = resolve(dirname(path), word)
        if (found.has(named)) continue
        if ((await whyNotReadable(named)) !== undefined) odd.add(named)
        if (!(await isFile(named))) continue
        found.add(named)
        if (/\.ya?ml$/.test(named)) next.push(named)
      }
    }
    layer = next
  }
  return { files: [...found], odd: [...odd] }
}

/** A fault where Compose, and so this agent, would wait at one of these for ever, or read without an end. */
export const faultOfOddFiles = async (
  paths: readonly string[],
): Promise<StackFault | undefined> => {
  for (const path of paths) {
    const why = await whyNotReadable(path)
    if (why !== undefined)
      return {
        reason: 'FileNotReadable',
        message: `${path} ${why}: Compose is not asked. A container may have made it: put a file there, and let no container write that folder`,
      }
  }
  return undefined
}

/** Fewer aliases make no text that Compose could not hold. */
const fewAliases = 16
const alias = /(?:^|[\s,[{:-])\*[^\s,[\]{}]+/g

/** A longer text with aliases takes the parser seconds, in which the agent does nothing else. */
const mostJudged = 512 * 1024

/** Why aliases forbid to ask Compose. The parser is read late: an agent starts without it, and most stacks have few. */
const whyBoundless = async (text: string): Promise<string | undefined> => {
  if ((text.match(alias)?.length ?? 0) <= fewAliases) return undefined
  if (text.length > mostJudged) return 'has more than 512 KiB, and aliases (*name) in it'
  const bombs = await import('./alias-bombs.ts')
  const nodes = bombs.boundlessNodes(text)
  return nodes === undefined
    ? undefined
    : `has aliases (*name) that make ${nodes} entries of it, more than 200,000`
}

/** A fault where Compose would fill the machine's memory. Compose is not asked: ending it leaves a child that goes on. */
const faultOfBombs = async (paths: readonly string[]): Promise<StackFault | undefined> => {
  for (const path of paths) {
    const why = await whyBoundless(await readIfReadable(path))
    if (why !== undefined)
      return {
        reason: 'ComposeInvalid',
        message: `${path} ${why}: Compose is not asked. Let fewer aliases lead to others`,
      }
  }
  return undefined
}

/** Absolute paths of the Compose files of the spec, or of the default ones, one of which must exist. */
export const wantedFiles = ({ directory, files }: ComposeSpec): string[] =>
  (files ?? bases).map((f) => resolve(directory, f))

/** The files that Compose would use in the stagelet's directory, or a fault. */
export const findComposeFiles = async (
  spec: ComposeSpec,
  folders: AllowedFolders,
): Promise<FilesResult> => {
  const { directory } = spec
  // Checked first: the report must not tell whether a forbidden folder exists.
  const notAllowed = await checkAllowed(directory, folders)
  if (notAllowed !== undefined) return { fault: notAllowed }
  const kind = await stat(directory).catch(() => undefined)
  if (kind === undefined || !kind.isDirectory()) {
    const message = `${directory} is not a folder on this machine: create it, or correct spec.compose.directory`
    return { fault: { reason: 'DirectoryMissing', message } }
  }
  // Resolved as for Compose, which runs in that folder: `..` leads up from the target of a link.
  const resolved = { ...spec, directory: await realPath(directory) }
  // Checked before Compose reads them: its messages may quote an env file.
  const envFiles = envFilesOf(resolved)
  for (const path of envFiles) {
    const fault = await checkAllowed(path, folders)
    if (fault !== undefined) return { fault }
  }
  const files = await chosenFiles(resolved)
  if (files.length === 0) {
    const message = `no compose file in ${directory}: Compose looks for ${bases.join(', ')}`
    return { fault: { reason: 'ComposeInvalid', message } }
  }
  const paths = files.map((f) => resolve(resolved.directory, f))
  for (const path of paths) {
    const fault = await checkAllowed(path, folders)
    if (fault !== undefined) return { fault }
    if (!(await isFile(path)))
      return { fault: { reason: 'ComposeInvalid', message: `compose file ${path} does not exist` } }
  }
  const candidates =
    spec.files === undefined ? [...bases, ...overrides].map((f) => join(resolved.directory, f)) : []
  const { files: named, odd } = await namedFiles(paths)
  const unreadable = await faultOfOddFiles([...paths, ...envFiles, ...odd])
  if (unreadable !== undefined) return { fault: unreadable }
  const read = await withIncluded(paths, directory)
  const boundless = await faultOfBombs(read)
  if (boundless !== undefined) return { fault: boundless }
  for (const path of named) {
    const fault = await checkNotOwn(path, folders)
    if (fault !== undefined) return { fault }
  }
  const watched = new Set([...named, ...envFiles, ...candidates])
  const steering = [...read, ...envFiles, ...candidates]
  return { files: { files, envFiles, watched: [...watched], steering: unique(steering) } }
}

/** Changes when any watched file appears, goes, or is written. */
export const signatureOf = async (watched: readonly string[]): Promise<string> => {
  const stats = await Promise.all(
    watched.map((path) => stat(path, { bigint: true }).catch(() => undefined)),
  )
  return watched
    .map((path, i) => {
      const s = stats[i]
      return `${path} ${s === undefined ? '-' : `${s.ino} ${s.size} ${s.mtimeNs} ${s.ctimeNs}`}`
    })
    .sort()
    .join('\n')
}
