// Which files of a stagelet Compose may read, and whether they have changed.
import { realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import {
  bases,
  chosenFiles,
  envFilesOf,
  isFile,
  overrides,
  readText,
} from '../src/compose/files.ts'
import type { ComposeSpec } from '../src/resources/stagelet.ts'

export interface StackFault {
  readonly reason: string
  readonly message: string
}

interface ComposeFiles {
  /** As given to Compose with `-f`, relative to the directory or absolute. */
  readonly files: readonly string[]
  /** Absolute paths of all that is known to matter, for the signature. */
  readonly watched: readonly string[]
}

export type FilesResult = { readonly files: ComposeFiles } | { readonly fault: StackFault }

const isInside = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

/** A fault when `path`, links followed, is in none of the folders; none given: any will do. */
export const checkAllowed = async (
  path: string,
  allowDirs: readonly string[],
): Promise<StackFault | undefined> => {
  if (allowDirs.length === 0) return undefined
  const real = await realpath(path).catch(() => resolve(path))
  const folders = await Promise.all(allowDirs.map((d) => realpath(d).catch(() => d)))
  if (folders.some((folder) => isInside(real, folder))) return undefined
  const message = `${path} is in none of the folders that this agent may use (${allowDirs.join(', ')}): start the agent with --allow-dir for it, or move the stack`
  return { reason: 'DirectoryNotAllowed', message }
}

const fileWord = /[^\s'"[\]{},]+\.ya?ml\b|[^\s'"[\]{},:]*\.env[\w.-]*|[^\s'"[\]{},:]+\.env\b/g
/** Longer words name no file, and searching an inlined blob would take minutes. */
const maxWord = 1024

/** Words of a compose file that may name files which it includes, extends or takes variables from. */
const fileWordsOf = (text: string): string[] =>
  text
    .split(/[\s'"[\]{},]+/)
    .filter((word) => word.length <= maxWord && /\.(ya?ml|env)/.test(word))
    .flatMap((word) => [...word.matchAll(fileWord)].map(([found]) => found))

/** Compose files and the files that their text names, to the depth that includes go in practice. */
const namedFiles = async (paths: readonly string[]): Promise<string[]> => {
  const found = new Set(paths)
  let layer = [...paths]
  for (let depth = 0; depth < 4 && layer.length > 0 && found.size < 200; depth++) {
    const next: string[] = []
    for (const path of layer) {
      for (const word of fileWordsOf(await readText(path))) {
        const named = resolve(dirname(path), word)
        if (found.has(named) || !(await isFile(named))) continue
        found.add(named)
        if (/\.ya?ml$/.test(named)) next.push(named)
      }
    }
    layer = next
  }
  return [...found]
}

/** Absolute paths of the files that one of these must be for there to be a stack. */
export const wantedFiles = ({ directory, files }: ComposeSpec): string[] =>
  (files ?? bases).map((f) => resolve(directory, f))

/** The files that Compose would choose in the stagelet's directory, or why there are none to use. */
export const findComposeFiles = async (
  spec: ComposeSpec,
  allowDirs: readonly string[],
): Promise<FilesResult> => {
  const { directory } = spec
  const kind = await stat(directory).catch(() => undefined)
  if (kind === undefined || !kind.isDirectory()) {
    const message = `${directory} is not a folder on this machine: create it, or correct spec.compose.directory`
    return { fault: { reason: 'DirectoryMissing', message } }
  }
  const notAllowed = await checkAllowed(directory, allowDirs)
  if (notAllowed !== undefined) return { fault: notAllowed }
  // Before they are read: what Compose says of an env file may quote it.
  for (const path of envFilesOf(spec)) {
    const fault = (await isFile(path)) ? await checkAllowed(path, allowDirs) : undefined
    if (fault !== undefined) return { fault }
  }
  const files = await chosenFiles(spec)
  if (files.length === 0) {
    const message = `no compose file in ${directory}: Compose looks for ${bases.join(', ')}`
    return { fault: { reason: 'ComposeInvalid', message } }
  }
  const paths = files.map((f) => resolve(directory, f))
  for (const path of paths) {
    if (!(await isFile(path)))
      return { fault: { reason: 'ComposeInvalid', message: `compose file ${path} does not exist` } }
    const fault = await checkAllowed(path, allowDirs)
    if (fault !== undefined) return { fault }
  }
  const candidates =
    spec.files === undefined ? [...bases, ...overrides].map((f) => join(directory, f)) : []
  const watched = new Set([...(await namedFiles(paths)), ...envFilesOf(spec), ...candidates])
  return { files: { files, watched: [...watched] } }
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
