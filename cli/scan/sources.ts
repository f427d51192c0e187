// The texts that a scan reads: a tree, what is staged, a range of commits, a Compose project, or standard input.
import { lstat, readFile, readdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { bases, envFilesOf, overrides } from '../../src/compose/files.ts'
import { isRecord } from '../../src/kernel/record.ts'
import type { ScannedText } from '../../src/scan/scanner.ts'
import { readStdin } from '../apply/read-manifests.ts'
import { CliError, usageError } from '../errors.ts'
import {
  blobsInRange,
  filesInTree,
  isShallow,
  mostBytes,
  readBlobs,
  stagedBlobs,
  tooLarge,
  topFolder,
} from './git.ts'

export interface SourceFlags {
  readonly staged?: true
  readonly range?: string
  readonly compose?: true
  readonly stdin?: true
}

/** `unread`: what is not scanned, and why. */
export type ScanSource = AsyncGenerator<ScannedText | { readonly unread: string }>

const passedOver = new Set(['.git', 'node_modules'])

/** Links are not followed. */
const filesBelow = async function* (root: string, folder = ''): AsyncGenerator<string> {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isFile()) yield path
    else if (entry.isDirectory() && !passedOver.has(entry.name)) yield* filesBelow(root, path)
  }
}

const readFiles = async function* (
  root: string,
  paths: AsyncIterable<string> | Iterable<string>,
): ScanSource {
  for await (const path of paths) {
    const found = await lstat(join(root, path)).catch(() => undefined)
    if (found?.isFile() !== true) continue
    if (found.size > mostBytes) yield { unread: tooLarge(path) }
    else yield { path, bytes: await readFile(join(root, path)) }
  }
}

const treeOf = async function* (folder: string): ScanSource {
  const found = await lstat(folder).catch(() => undefined)
  if (found === undefined) throw new CliError(`${folder} does not exist`, 2)
  if (found.isFile()) yield* readFiles('.', [folder])
  else if ((await topFolder(folder)) === undefined) yield* readFiles(folder, filesBelow(folder))
  else yield* readFiles(folder, await filesInTree(folder))
}

/** Compose files of a folder with `.env` and every `env_file`. */
const composeOf = async function* (folder: string): ScanSource {
  const { parseAllDocuments } = await import('../../src/formats/yaml.ts')
  const files = new Set(envFilesOf({ directory: folder }))
  for (const name of [...bases, ...overrides]) {
    const path = resolve(folder, name)
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text === undefined) continue
    files.add(path)
    for (const document of parseAllDocuments(text)) {
      const services: unknown = (document.toJS() as { services?: unknown } | null)?.services
      for (const file of envFilesIn(services)) files.add(resolve(dirname(path), file))
    }
  }
  yield* readFiles(
    '.',
    [...files].map((path) => relative('.', path)),
  )
}

const envFilesIn = (services: unknown): string[] =>
  Object.values(isRecord(services) ? services : {}).flatMap((service) => {
    const given: unknown = isRecord(service) ? service['env_file'] : undefined
    const list: unknown[] = Array.isArray(given) ? given : [given]
    return list.flatMap((file) => {
      const path: unknown = isRecord(file) ? file['path'] : file
      return typeof path === 'string' ? [path] : []
    })
  })

const gitOf = async (
  folder: string,
  { range }: SourceFlags,
  note: (text: string) => void,
): Promise<ScanSource> => {
  const top = await topFolder(folder)
  if (top === undefined) throw new CliError(`${folder} is in no git repository`, 2)
  if (range === undefined) return readBlobs(top, await stagedBlobs(top))
  if (await isShallow(top))
    note('this clone is shallow: commits that it does not have are not scanned')
  return readBlobs(top, await blobsInRange(top, range))
}

/** `note` is told what the scan cannot see. */
export const openSource = async (
  folder: string,
  flags: SourceFlags,
  note: (text: string) => void,
): Promise<ScanSource> => {
  const chosen = Object.values({ ...flags }).filter((flag) => flag !== undefined)
  if (chosen.length > 1) throw usageError('give one of --staged, --range, --compose and --stdin')
  if (flags.stdin === true) {
    const bytes = await readStdin()
    return (async function* () {
      yield await Promise.resolve({ path: 'stdin', bytes })
    })()
  }
  if (flags.compose === true) return composeOf(folder)
  if (flags.staged === true || flags.range !== undefined) return gitOf(folder, flags, note)
  return treeOf(folder)
}
