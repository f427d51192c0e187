// What git gives to a scan: files of the working tree, staged content, and what the commits of a range have added.
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { pipeProgram } from '../../src/process/piped.ts'
import type { ScannedText } from '../../src/scan/scanner.ts'
import { readEnvironment } from '../config.ts'
import { CliError } from '../errors.ts'

/** A blob, and where it is. */
export interface GitBlob extends Omit<ScannedText, 'bytes'> {
  readonly oid: string
}

/** Larger blobs are not scanned. */
export const mostBytes = 64 * 1024 * 1024

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
const git = async (cwd: string, args: readonly string[], stdin?: string): Promise<Buffer> => {
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
    stdout: stdout.to,
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

const inOneCall = 200

/** `large`: it was not read. */
export const readBlobs = async function* (
  cwd: string,
  blobs: readonly GitBlob[],
): AsyncGenerator<ScannedText | { readonly large: string }> {
  for (let from = 0; from < blobs.length; from += inOneCall) {
    const asked = blobs.slice(from, from + inOneCall)
    const list = asked.map(({ oid }) => oid).join('\n')
    const sizes = (await git(cwd, ['cat-file', '--batch-check=%(objectsize)'], list)).toString()
    const sizeOf = sizes.split('\n').map(Number)
    const small = asked.filter((_, i) => (sizeOf[i] ?? 0) <= mostBytes)
    for (const { path } of asked.filter((_, i) => (sizeOf[i] ?? 0) > mostBytes))
      yield { large: path }
    const output = await git(cwd, ['cat-file', '--batch'], small.map(({ oid }) => oid).join('\n'))
    let offset = 0
    for (const { oid: _, ...at } of small) {
      const head = output.indexOf(10, offset)
      const size = Number(output.toString('latin1', offset, head).split(' ')[2])
      yield { ...at, bytes: output.subarray(head + 1, head + 1 + size) }
      offset = head + size + 2
    }
  }
}
