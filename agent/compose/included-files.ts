// Finds what Compose reads of a stack beside the files that it is given: includes, and files that services extend.
import { dirname, resolve } from 'node:path'
import { isRecord } from '../../src/kernel/record.ts'
import { isFile, readIfReadable } from '../../src/compose/files.ts'

/** No larger file is looked into. */
const mostBytes = 4 * 1024 * 1024
const mostFiles = 200
const mayInclude = /\b(include|extends)\b/

interface Named {
  /** Compose files. */
  readonly files: readonly string[]
  /** Env files, and folders in which Compose looks for one. */
  readonly others: readonly string[]
}

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string')

/** The map, and those that it takes in by a merge (`<<`). */
const withMerged = (
  value: unknown,
  visited: Set<unknown> = new Set(),
): Readonly<Record<string, unknown>>[] => {
  if (!isRecord(value) || visited.has(value)) return []
  visited.add(value)
  const merged: readonly unknown[] = [value['<<']].flat()
  return [value, ...merged.flatMap((part) => withMerged(part, visited))]
}

/** What a Compose file names, as it is written. */
export const namedIn = (file: unknown): Named => {
  const top = withMerged(file)
  const included = top
    .flatMap(({ include }): unknown[] => (Array.isArray(include) ? include : []))
    .flatMap((include) => (isRecord(include) ? withMerged(include) : [{ path: include }]))
  const extended = top
    .flatMap(({ services }) => withMerged(services))
    .flatMap((services) => Object.values(services))
    .flatMap((service) => withMerged(service))
    .flatMap((service) => withMerged(service['extends']))
    .flatMap(({ file: extendedFile }) => textsOf(extendedFile))
  return {
    files: [...included.flatMap(({ path }) => textsOf(path)), ...extended],
    others: included.flatMap((include) => [
      ...textsOf(include['env_file']),
      ...textsOf(include['project_directory']),
    ]),
  }
}

/** A path that a variable makes is known up to the folder before the variable. */
const knownPart = (path: string): string => {
  const dollar = path.indexOf('$')
  return dollar < 0 ? path : `${path.slice(0, path.lastIndexOf('/', dollar) + 1)}.`
}

/** Each document of the file. Aliases share what they stand for and merges are left as written: neither multiplies it. */
const documentsOf = async (path: string): Promise<unknown[]> => {
  const text = await readIfReadable(path)
  if (text.length > mostBytes || !mayInclude.test(text)) return []
  const { parseAllDocuments } = await import('../../src/formats/yaml.ts')
  const documents = parseAllDocuments(text, { logLevel: 'silent' })
  return [documents].flat().map((document) => {
    try {
      return document.toJS({ maxAliasCount: -1 }) as unknown
    } catch {
      return undefined // Compose says what is wrong with it.
    }
  })
}

/** Absolute paths of these Compose files, and of all that they name in turn. `root`: folder of the stack. */
export const withIncluded = async (files: readonly string[], root: string): Promise<string[]> => {
  const found = new Set(files)
  const queue = [...files]
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const named = (await documentsOf(path)).map(namedIn)
    // Relative to the file that names it, or to the stack's folder: each that is there may be meant.
    const absolute = (name: string): string[] =>
      [dirname(path), root].map((folder) => resolve(folder, knownPart(name)))
    for (const file of named.flatMap(({ files: paths }) => paths).flatMap(absolute)) {
      if (found.has(file) || found.size >= mostFiles) continue
      found.add(file)
      if (await isFile(file)) queue.push(file)
    }
    for (const other of named.flatMap(({ others }) => others).flatMap(absolute)) found.add(other)
  }
  return [...found]
}
