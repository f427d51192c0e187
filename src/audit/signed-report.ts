// Reports that the key of the audit log has signed, each with the head of the log at that time. Pure.
import { canonicalJson } from '../kernel/canonical-json.ts'
import { isRecord } from '../kernel/record.ts'
import type { SignedHead } from './record.ts'
import {
  isSigned,
  isSignedText,
  reports,
  reportText,
  type ChainCrypto,
  type ReportKind,
} from './texts.ts'

/** A file: the document in the field of its kind, and what proves it. */
export type Signed<K extends ReportKind, T extends object> = {
  readonly [F in (typeof reports)[K]['field']]: T & { readonly head: SignedHead }
} & { readonly signature: string; readonly public_key: string }

const reportKinds = Object.keys(reports) as ReportKind[]

/** The kind of the report in a file; undefined where there is none, or more than one. */
export const kindOfReport = (file: unknown): ReportKind | undefined => {
  if (!isRecord(file)) return undefined
  const found = reportKinds.filter((kind) => isRecord(file[reports[kind].field]))
  return found.length === 1 ? found[0] : undefined
}

/**
 * Why the report in a file does not hold; undefined where it does. `file`: as it was read, since fields that this
 * version does not know are signed too. `publicKey`: the key that must have signed.
 */
export const reportFault = async (
  crypto: ChainCrypto,
  file: unknown,
  publicKey?: string,
): Promise<string | undefined> => {
  const kind = kindOfReport(file)
  if (kind === undefined) return 'it is no report of Stagely'
  const { public_key: key, signature, [reports[kind].field]: document } = file as SignedFile
  if (publicKey !== undefined && publicKey !== key) return `another key has signed it: ${key}`
  const text = reportText(kind, canonicalJson(document))
  if (!(await isSignedText(crypto, key, text, signature))) return 'its text is not what was signed'
  const { head } = document
  if (head.seq === 0) return undefined
  const isHeadSigned = head.public_key === key && (await isSigned(crypto, key, 'head', head))
  return isHeadSigned ? undefined : 'the head of the audit log in it is not signed by the same key'
}

type SignedFile = Signed<ReportKind, object>

/** The last sentence of the words of a report. */
export const issuedText = (issuedAt: string, { seq }: SignedHead): string =>
  `Issued at ${issuedAt}, when the audit log had ${seq} row${seq === 1 ? '' : 's'}.`
