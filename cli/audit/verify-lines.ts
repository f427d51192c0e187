// Verifies an export line by line, so that it may be of any length.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { nodeCrypto } from '../../src/audit/chain.ts'
import { signedHead, type SignedHead } from '../../src/audit/record.ts'
import { ChainVerifier, type ChainVerdict, type VerifyOptions } from '../../src/audit/verify.ts'
import { CliError } from '../errors.ts'

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
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new CliError(`cannot read ${file}`, 1, error)
  }
  const last = text.trimEnd().split('\n').at(-1) ?? ''
  try {
    return signedHead.parse(JSON.parse(last))
  } catch (error) {
    throw new CliError(`${file} has no signed head: make one with "stagely audit head"`, 2, error)
  }
}
