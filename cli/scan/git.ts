// What git gives to a scan: files of the working tree, staged content, and what the commits of a range have added.
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { pipeProgram } from '../../src/process/piped.ts'
import type { ScannedText } from '../../src/scan/scanner.ts'
import { readEnvironment } from '../config.ts'
import { CliError } from '../errors.ts'

/** A blob, and where it is. */
interface GitBlob extends Omit<ScannedText, 'bytes'> {
  readonly oid: string
}

/** Larger blobs are not scanned. */
export const mostBytes = 64 * 1024 * 1024
export const tooLarge = (path: string): string => `${path} is larger than 64 MiB`

const collecting = (): { readonly to: Writable; readonly bytes: () => Buffer } => {
  const chunks: Buffer[] = []
  const to = new Writable({
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk)
      done()
    },
  })
  return { to, bytes: () => Buffer.concat(chunks) }
}

/** CliError with git's own words. */
const git = async (
  cwd: string,
  args: readonly string[],
  { stdin, stdout: to }: { readonly stdin?: string; readonly stdout?: Writable } = {},
): Promise<Buffer> => {
  const { STAGELY_TOKEN: _, ...environment } = readEnvironment()
  const [stdout, stderr] = [collecting(), collecting()]
  const { exitCode, startError } = await pipeProgram({
    file: 'git',
    // No program that the configuration of a repository names is started.
    args: ['-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false', ...args],
    cwd,
    // A hook gets its index and its folder from git.
    env: { ...environment, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
    ...(stdin !== undefined && { stdin }),
    stdout: to ?? stdout.to,
    stderr: stderr.to,
    signal: new AbortController().signal,
  })
  if (startError !== undefined)
    throw new CliError(`git cannot be started (${startError}): install it`)
  if (exitCode !== 0)
    throw new CliError(`git ${args[0] ?? ''}: ${stderr.bytes().toString().trim()}`)
  return stdout.bytes()
}

const wordsOf = (output: Buffer): string[] => output.toString('utf8').split('\0').filter(Boolean)

/** The top folder; undefined where the folder is in no repository. */
export const topFolder = async (cwd: string): Promise<string | undefined> => {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const isTop = await stat(join(folder, '.git')).then(
      () => true,
      () => false,
    )
    // Git refuses a repository of another user, and says so.
    if (isTop) return (await git(folder, ['rev-parse', '--show-toplevel'])).toString().trim()
    if (folder === dirname(folder)) return undefined
  }
}

/** Files that git follows, and those that it would add; relative to `cwd`. */
export const filesInTree = async (cwd: string): Promise<string[]> => [
  ...new Set(wordsOf(await git(cwd, ['ls-files', '-z', '-co', '--exclude-standard']))),
]

/** The address of the remote `origin`; undefined where there is none. */
export const originOf = async (cwd: string): Promise<string | undefined> => {
  const found = await git(cwd, ['config', '--default', '', '--get', 'remote.origin.url'])
  return found.toString().trim() || undefined
}

const rawFlags = ['--raw', '-z', '--no-abbrev', '--no-renames', '--diff-filter=ACMT']
const link = '120000'
const submodule = '160000'

/** Of `--raw -z`, with `\x01COMMIT` between. */
const blobsOf = (output: Buffer): GitBlob[] => {
  const blobs: GitBlob[] = []
  let commit: string | undefined
  let oid: string | undefined
  for (const word of wordsOf(output)) {
    const text = word.replace(/^\n+/, '')
    if (oid !== undefined) {
      blobs.push({ oid, path: word, ...(commit !== undefined && { commit }) })
      oid = undefined
    } else if (text.startsWith('\x01')) commit = text.slice(1).trim()
    else if (text.startsWith(':')) {
      const [, mode, , made] = text.split(' ')
      oid = mode === link || mode === submodule ? '' : made
    }
  }
  return blobs.filter((blob) => blob.oid !== '')
}

export const stagedBlobs = async (cwd: string): Promise<GitBlob[]> =>
  blobsOf(await git(cwd, ['diff', '--cached', ...rawFlags]))

/** Each blob once, at its first place. */
export const blobsInRange = async (cwd: string, range: string): Promise<GitBlob[]> => {
  if (range.startsWith('-')) throw new CliError(`${range} is no range of commits`, 2)
  const output = await git(cwd, [
    'log',
    '-m',
    '--no-show-signature',
    '--format=%x01%H',
    ...rawFlags,
    range,
    '--',
  ])
  const first = new Map<string, GitBlob>()
  for (const blob of blobsOf(output)) if (!first.has(blob.oid)) first.set(blob.oid, blob)
  return [...first.values()]
}

export const isShallow = async (cwd: string): Promise<boolean> =>
  (await git(cwd, ['rev-parse', '--is-shallow-repository'])).toString().trim() === 'true'

export const hooksFolder = async (cwd: string): Promise<string> =>
  (await git(cwd, ['rev-parse', '--git-path', 'hooks'])).toString('utf8').trim()

/** The answers of `cat-file --batch`: a line for each blob, then its bytes. `unread`: what is not scanned, and why. */
const blobsIn = async function* (
  stream: AsyncIterable<Buffer>,
  blobs: readonly GitBlob[],
): AsyncGenerator<ScannedText | { readonly unread: string }> {
  let rest: Buffer = Buffer.alloc(0)
  let next = 0
  /** Of the blob that is read: undefined before its line is there. */
  let open: { size: number; chunks: Buffer[]; left: number } | undefined
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length > 0) {
      if (open === undefined) {
        const end = rest.indexOf(10)
        if (end < 0) break
        const [, , size] = rest.toString('latin1', 0, end).split(' ')
        rest = rest.subarray(end + 1)
        if (size === undefined) {
          yield { unread: `${blobs[next++]!.path} is not in this clone` }
          continue
        }
        open = { size: Number(size), chunks: [], left: Number(size) + 1 }
      }
      const part = rest.subarray(0, open.left)
      rest = rest.subarray(part.length)
      open.left -= part.length
      if (open.size <= mostBytes) open.chunks.push(part)
      if (open.left > 0) break
      const { oid: _, ...at } = blobs[next++]!
      if (open.size > mostBytes) yield { unread: tooLarge(at.path) }
      else yield { ...at, bytes: Buffer.concat(open.chunks, open.size) }
      open = undefined
    }
  }
}

/** One process of git for all. */
export const readBlobs = async function* (
  cwd: string,
  blobs: readonly GitBlob[],
): AsyncGenerator<ScannedText | { readonly unread: string }> {
  if (blobs.length === 0) return
  const stdout = new PassThrough()
  const list = blobs.map(({ oid }) => oid).join('\n')
  const ended = git(cwd, ['cat-file', '--batch', '--buffer'], { stdin: list, stdout })
  // It is awaited below.
  ended.catch(() => undefined)
  yield* blobsIn(stdout, blobs)
  await ended
}
