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

interface ReadReport {
  readonly signed: unknown
  /** False for a CSV whose rows are not those of its proof. Only reports on access are CSV. */
  readonly isWhole: boolean
}

const readReport = async (file: string): Promise<ReadReport> => {
  const content = await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(
    cannot(`read ${file}`),
  )
  const inCsv = signedInCsv(content)
  if (inCsv === undefined) return { signed: tryParseJson(content), isWhole: true }
  const access = signedAccess.safeParse(inCsv).success ? (inCsv as SignedAccess) : undefined
  const isWhole = access !== undefined && accessCsv(access) === content.replace(/\n$/, '')
  return { signed: inCsv, isWhole }
}

/** Checks a file without a controller, and prints its words. */
export const verifyReport = async (file: string, { key, head }: VerifyFlags): Promise<void> => {
  const { signed, isWhole } = await readReport(file)
  const words = wordsOfReport(signed)
  if (words === undefined)
    throw new CliError(
      `${file} holds no signed report: make one with "stagely report KIND -o json"`,
      2,
    )
  const publicKey = key ?? (head === undefined ? undefined : (await readHeadFile(head)).public_key)
  const fault = isWhole
    ? await reportFault(nodeCrypto, signed, publicKey)
    : 'its rows are not those that were signed'
  if (fault !== undefined) {
    note(`The report does NOT hold: ${fault}.`)
    throw new Exit(1)
  }
  out([...words, `Signed with the key ${(signed as SignedAccess).public_key}.`].join('\n'))
  if (publicKey === undefined)
    note(
      'Give --head with a head kept elsewhere to see whether the key is that of your controller.',
    )
}
