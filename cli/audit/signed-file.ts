// Files that the key of the audit log has signed: read, checked without a controller, and told in words.
import type { Command } from '../options.ts'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type * as z from 'zod'
import { nodeCrypto } from '../../src/audit/chain.ts'
import type { ChainCrypto } from '../../src/audit/texts.ts'
import { CliError, Exit, cannot } from '../errors.ts'
import { note, out } from '../print.ts'
import { createInterface } from 'node:readline'
import { signedHead, type SignedHead } from '../../src/audit/record.ts'
import { ChainVerifier, type ChainVerdict, type VerifyOptions } from '../../src/audit/verify.ts'

export const verifyLines = async (
  stream: NodeJS.ReadableStream,
  options: VerifyOptions,
): Promise<ChainVerdict> => {
  const verifier = new ChainVerifier(nodeCrypto, options)
  let failed: unknown
  stream.on('error', (error) => {
    failed = error
  })
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    await verifier.accept(line)
  }
  if (failed !== undefined) throw new CliError('the export could not be read to its end', 1, failed)
  return verifier.finish()
}

/** Reads a signed head: from a file that holds one, or from the last line of an export. */
export const readHeadFile = async (file: string): Promise<SignedHead> => {
  const text = await readFile(file, 'utf8').catch(cannot(`read ${file}`))
  const last = text.trimEnd().split('\n').at(-1) ?? ''
  try {
    return signedHead.parse(JSON.parse(last))
  } catch (error) {
    throw new CliError(`${file} has no signed head: make one with "stagely audit head"`, 2, error)
  }
}

interface VerifyFlags {
  readonly key?: string
  readonly head?: string
}

/** What a file of this kind holds, and how it is checked. */
interface SignedKind<T extends { readonly public_key: string }> {
  /** `receipt` */
  readonly noun: string
  /** The command that makes one. */
  readonly made: string
  /** Keeps what it does not know: that is signed too. */
  readonly schema: z.ZodType<T>
  readonly faultOf: (
    crypto: ChainCrypto,
    file: T,
    key: string | undefined,
    content: string,
  ) => Promise<string | undefined>
  /** Of a file that is not JSON. */
  readonly parse?: (content: string) => unknown
  readonly wordsOf: (file: T) => readonly string[]
}

const read = async <T extends { readonly public_key: string }>(
  file: string,
  { noun, made, schema, parse = JSON.parse }: SignedKind<T>,
): Promise<{ signed: T; content: string }> => {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(
    cannot(`read ${file}`),
  )
  try {
    return { signed: schema.parse(parse(content)), content }
  } catch (error) {
    throw new CliError(`${file} holds no ${noun}: get one with "${made}"`, 2, error)
  }
}

export const verifyOptions = (command: Command, noun: string): Command =>
  command
    .argument('<file>', `a ${noun}, or - for stdin`)
    .option('--key <key>', 'public key that must have signed; else that of --head')
    .option(
      '--head <file>',
      'a head kept elsewhere ("stagely audit head"): its key must have signed',
    )

export const verifyFile = async <T extends { readonly public_key: string }>(
  file: string,
  { key, head }: VerifyFlags,
  kind: SignedKind<T>,
): Promise<void> => {
  const { signed, content } = await read(file, kind)
  const publicKey = key ?? (head === undefined ? undefined : (await readHeadFile(head)).public_key)
  const fault = await kind.faultOf(nodeCrypto, signed, publicKey, content)
  if (fault !== undefined) {
    note(`The ${kind.noun} does NOT hold: ${fault}.`)
    throw new Exit(1)
  }
  out([...kind.wordsOf(signed), `Signed with the key ${signed.public_key}.`].join('\n'))
  if (publicKey === undefined)
    note(
      'Give --head with a head kept elsewhere to see whether the key is that of your controller.',
    )
}
