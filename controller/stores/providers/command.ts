// A program of the operator: JSON in, JSON out. So other stores come in without code of theirs in here.
import { constants } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import * as z from 'zod'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { linkedAbort } from '../../../src/kernel/async/linked-abort.ts'
import { pipeProgram } from '../../../src/process/piped.ts'
import type { ProviderBlock } from '../../../src/kinds/secret-store/providers.ts'
import { parseAnswer } from '../../egress/answers.ts'
import { mostBytes } from '../../egress/gate.ts'
import type { StoreOpening } from '../opening.ts'
import {
  mostListed,
  StoreFault,
  type Absence,
  type Found,
  type Ref,
  type StoreProvider,
} from '../provider.ts'
import { valueMarks } from '../value-marks.ts'

const mostMs = 30_000
const limits = { batch: 100, perMinute: 600, parallel: 1 }
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const answer = z.object({
  fault: z.enum(['Throttled', 'Unauthorized', 'Unavailable']).optional(),
  retryAfterSeconds: z.number().min(0).optional(),
  identity: z.string().max(253).optional(),
  keys: z.array(z.string()).optional(),
  secrets: z
    .array(
      z.object({
        version: z.string().min(1).max(253).optional(),
        value: z.string().optional(),
        base64: z.base64().optional(),
        expiresAt: z.iso.datetime({ offset: true }).optional(),
        absent: z.enum(['missing', 'forbidden']).optional(),
      }),
    )
    .optional(),
})
type Answer = z.infer<typeof answer>

/** Nobody but root and the controller's own user may change what is run. */
const checkSafe = async (dir: string, file: string): Promise<void> => {
  const own = process.getuid?.() ?? 0
  for (const path of [dir, file]) {
    const stat = await lstat(path).catch(() => undefined)
    const what = path === dir ? 'the folder of --stores-dir' : 'the program'
    const wrong =
      stat === undefined
        ? 'is not there'
        : !(path === dir ? stat.isDirectory() : stat.isFile())
          ? `is no ${path === dir ? 'folder' : 'file'} of its own (a link is none)`
          : stat.uid !== 0 && stat.uid !== own
            ? "belongs neither to root nor to the controller's user"
            : (stat.mode & (constants.S_IWGRP | constants.S_IWOTH)) !== 0
              ? 'can be changed by others: take the right to write from them'
              : path === file && (stat.mode & constants.S_IXUSR) === 0
                ? 'is not executable'
                : undefined
    if (wrong !== undefined) throw new StoreFault('Unavailable', `${what} ${wrong}`)
  }
}

/** All that the program says, to a limit. It ends the program where there is more. */
const collector = (onTooMuch: () => void): { sink: Writable; text: () => string } => {
  const parts: Buffer[] = []
  let bytes = 0
  const sink = new Writable({
    write: (part: Buffer, _, done) => {
      bytes += part.length
      if (bytes > mostBytes) onTooMuch()
      else parts.push(part)
      done()
    },
  })
  return { sink, text: () => Buffer.concat(parts).toString('utf8') }
}

const run = async (
  dir: string,
  name: string,
  request: object,
  signal: AbortSignal,
): Promise<string> => {
  const file = join(dir, name)
  await checkSafe(dir, file)
  const ending = linkedAbort(signal)
  let why: StoreFault | undefined
  const end = (kind: 'Unavailable' | 'Malformed', said: string): void => {
    why ??= new StoreFault(kind, `the program ${name} ${said}`)
    ending.abort()
  }
  const timer = setTimeout(
    () => end('Unavailable', `did not end within ${mostMs / 1_000} s`),
    mostMs,
  )
  const { sink, text } = collector(() =>
    end('Malformed', `answers with more than ${mostBytes} bytes`),
  )
  const nowhere = new Writable({
    write: (_part, _encoding, done) => done(),
  })
  try {
    const { exitCode } = await pipeProgram({
      file,
      args: [],
      cwd: dir,
      env: { PATH: path, HOME: dir, LANG: 'C.UTF-8' },
      stdin: JSON.stringify(request),
      // What it says beside its answer may hold a value.
      stdout: sink,
      stderr: nowhere,
      signal: ending.signal,
      killAfterMs: 1_000,
      lingerMs: 500,
    })
    signal.throwIfAborted()
    if (why !== undefined) throw why
    if (exitCode !== 0)
      throw new StoreFault('Unavailable', `the program ${name} ends with code ${exitCode}`)
    return text()
  } finally {
    clearTimeout(timer)
    ending.abort()
  }
}

const readAnswer = (name: string, text: string): Answer => {
  const malformed = (why: string) => new StoreFault('Malformed', `the program ${name}: ${why}`)
  let json: unknown
  try {
    json = parseAnswer(text)
  } catch (error) {
    throw error instanceof StagelyError ? malformed(error.message) : error
  }
  const read = answer.safeParse(json)
  if (!read.success) throw malformed('the answer is of an unknown form')
  const { fault, retryAfterSeconds: wait } = read.data
  if (fault === undefined) return read.data
  const waitMs = wait === undefined ? undefined : wait * 1_000
  throw new StoreFault(fault, `the program ${name} says ${fault}`, waitMs)
}

interface Known {
  readonly found: Found
  /** Of a fetch always. */
  readonly value: Buffer | undefined
}

export const openCommand = (
  { name }: ProviderBlock<'command'>,
  opening: StoreOpening,
  storesDir: string | undefined,
): StoreProvider => {
  // Without a credential there is no key that lasts: after a restart each value is fetched once.
  const marks = (credential: string | undefined) => valueMarks(credential ?? opening.keyOfProcess)
  const ask = async (request: object, signal: AbortSignal) => {
    if (storesDir === undefined)
      throw new StoreFault('Unavailable', 'the controller runs without --stores-dir')
    await opening.spend(signal)
    const credential = opening.hasCredential ? await opening.credential() : undefined
    const dir = await realpath(storesDir).catch(() => storesDir)
    const text = await run(dir, name, { ...request, ...(credential && { credential }) }, signal)
    return { said: readAnswer(name, text), mark: marks(credential) }
  }

  const read = async (
    operation: 'look' | 'fetch',
    refs: readonly Ref[],
    signal: AbortSignal,
  ): Promise<Map<Ref, Absence | Known>> => {
    const { said, mark } = await ask({ operation, refs }, signal)
    const secrets = said.secrets ?? []
    if (secrets.length !== refs.length)
      throw new StoreFault(
        'Malformed',
        `the program ${name} answers for ${secrets.length} of ${refs.length} refs`,
      )
    const answers = refs.map((ref, i): [Ref, Absence | Known] => {
      const { absent, version, value, base64, expiresAt: end } = secrets[i]!
      if (absent !== undefined) return [ref, { absent }]
      const bytes =
        base64 !== undefined
          ? Buffer.from(base64, 'base64')
          : value === undefined
            ? undefined
            : Buffer.from(value)
      const knownVersion = version ?? (bytes && mark(ref.key, bytes.toString('base64')))
      if (knownVersion === undefined || (operation === 'fetch' && bytes === undefined))
        throw new StoreFault('Malformed', `the program ${name} gives no version and no value`)
      const found = {
        version: knownVersion,
        ...(end && { expiresAt: toTimestamp(Date.parse(end)) }),
      }
      return [ref, { found, value: bytes }]
    })
    return new Map(answers)
  }

  return {
    limits,
    whoAmI: async (signal) =>
      (await ask({ operation: 'whoami' }, signal)).said.identity ?? `the program ${name}`,
    readVersions: async (refs, _, signal) => {
      const answers = [...(await read('look', refs, signal))]
      const versions = answers.map(
        ([ref, answer]) => [ref, 'absent' in answer ? answer : answer.found] as const,
      )
      return { versions: new Map(versions), lagMs: 0 }
    },
    fetch: async (refs, signal) => {
      const answers = [...(await read('fetch', refs, signal))]
      return new Map(
        answers.map(([ref, answer]) => [
          ref,
          'absent' in answer ? answer : { ...answer.found, value: answer.value! },
        ]),
      )
    },
    list: async (prefix, signal) => {
      const { said } = await ask({ operation: 'list', prefix }, signal)
      const keys = (said.keys ?? []).filter((key) => key.startsWith(prefix)).sort()
      return { keys: keys.slice(0, mostListed), isCut: keys.length > mostListed }
    },
    close: () => Promise.resolve(),
  }
}
