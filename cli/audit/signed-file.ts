// Files that the key of the audit log has signed: read, checked without a controller, and told in words.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type * as z from 'zod'
import { nodeCrypto } from '../../src/audit/chain.ts'
import { accessCsv, signedInCsv } from '../../src/audit/access-csv.ts'
import { accessWords, signedAccess, type SignedAccess } from '../../src/audit/access-report.ts'
import { complianceWords, signedCompliance } from '../../src/audit/compliance.ts'
import { exposureWords, signedExposure } from '../../src/audit/exposure.ts'
import { receiptWords } from '../../src/audit/receipt.ts'
import { signedReceipt } from '../../src/audit/receipt-schema.ts'
import { kindOfReport, reportFault } from '../../src/audit/signed-report.ts'
import type { ReportKind } from '../../src/audit/texts.ts'
import { tryParseJson } from '../../src/kernel/record.ts'
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
    throw new CliError(
      `${file} has no signed head: make one with "stagely admin audit head"`,
      2,
      error,
    )
  }
}

interface VerifyFlags {
  readonly key?: string
  readonly head?: string
}

interface ReportSchema<T> {
  readonly schema: z.ZodType<T>
  readonly words: (file: T) => readonly string[]
}

/** What is known of each kind of report. */
const schemas = {
  receipt: { schema: signedReceipt, words: receiptWords },
  exposure: { schema: signedExposure, words: exposureWords },
  compliance: { schema: signedCompliance, words: complianceWords },
  access: { schema: signedAccess, words: accessWords },
} satisfies { readonly [K in ReportKind]: ReportSchema<never> | object }

/** A report in words, a sentence a line; undefined for a file that is none. */
export const wordsOfReport = (file: unknown): readonly string[] | undefined => {
  const kind = kindOfReport(file)
  if (kind === undefined) return undefined
  const { schema, words } = schemas[kind] as ReportSchema<unknown>
  const parsed = schema.safeParse(file)
  return parsed.success ? words(parsed.data) : undefined
}

const readReport = async (file: string): Promise<{ signed: unknown; content: string }> => {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(
    cannot(`read ${file}`),
  )
  return { signed: signedInCsv(content) ?? tryParseJson(content), content }
}

/** Checks a file without a controller, and prints its words. */
export const verifyReport = async (file: string, { key, head }: VerifyFlags): Promise<void> => {
  const { signed, content } = await readReport(file)
  const words = wordsOfReport(signed)
  if (words === undefined)
    throw new CliError(
      `${file} holds no signed report: make one with "stagely report KIND -o json"`,
      2,
    )
  const report = signed as SignedAccess
  const publicKey = key ?? (head === undefined ? undefined : (await readHeadFile(head)).public_key)
  const isEdited =
    signedInCsv(content) !== undefined && accessCsv(report) !== content.replace(/\n$/, '')
  const fault = isEdited
    ? 'its rows are not those that were signed'
    : await reportFault(nodeCrypto, report, publicKey)
  if (fault !== undefined) {
    note(`The report does NOT hold: ${fault}.`)
    throw new Exit(1)
  }
  out([...words, `Signed with the key ${report.public_key}.`].join('\n'))
  if (publicKey === undefined)
    note(
      'Give --head with a head kept elsewhere to see whether the key is that of your controller.',
    )
}
