// The texts whose hashes make the chain of audit rows, and the texts that the controller signs. Pure: hash and
// signature are parameters, so that a browser checks the chain with the same code.
//
// hash(n) = SHA-256(hash(n-1), SHA-256(content(n))). The content holds salted digests in place of names
// and addresses. So a person is erased by deleting the salt and the text, and no hash changes.
import { canonicalJson } from '../kernel/canonical-json.ts'
import type { AuditRecord } from './record.ts'

/** What a row says; its place comes beside it. */
export type AuditContent = Omit<AuditRecord, 'seq'>

/** The hash before the first row. */
export const genesisHash = ''

export interface ChainPoint {
  readonly seq: number
  readonly hash: string
}

/** Before the first row. */
export const genesis: ChainPoint = { seq: 0, hash: genesisHash }

/** Kinds whose objects are people: their names are personal data. */
const people: ReadonlySet<string> = new Set(['User', 'Member'])
export const isPerson = (kind: string): boolean => people.has(kind)

const text = (parts: readonly unknown[]): string => JSON.stringify(parts)

export const actorText = (salt: string, { actor }: Pick<AuditRecord, 'actor'>): string =>
  text(['stagely audit actor 1', salt, actor.name, actor.id ?? null, actor.address ?? null])

export const subjectText = (salt: string, { object }: Pick<AuditRecord, 'object'>): string =>
  text(['stagely audit subject 1', salt, object.kind, object.namespace, object.name])

/** Of all fields of a row. */
export const contentText = (
  row: AuditContent,
  bound: { readonly seq: number; readonly actor: string; readonly subject: string | undefined },
): string =>
  text([
    'stagely audit row 1',
    bound.seq,
    row.at,
    bound.actor,
    row.actor.source,
    row.action,
    row.object.kind,
    row.object.namespace,
    bound.subject === undefined ? ['name', row.object.name] : ['digest', bound.subject],
    row.result,
    row.request_id ?? null,
    row.detail === undefined ? null : canonicalJson(row.detail),
  ])

export const linkText = (previous: string, digest: string): string =>
  text(['stagely audit link 1', previous, digest])

/**
 * Meaning of a signature. `head`: the rows up to this one are in the chain. `start`: the rows up to
 * this one were pruned. A signature of one meaning is never accepted for the other.
 */
export type SignedAs = 'head' | 'start'

export const signedText = (as: SignedAs, { seq, hash }: ChainPoint): string =>
  text([`stagely audit ${as} 1`, seq, hash])

/** The reports that the key of the audit log signs: the first word of the signed text, and the field of the file that holds the document. */
export const reports = {
  receipt: { title: 'stagely audit receipt 1', field: 'receipt' },
  compliance: { title: 'stagely compliance report 1', field: 'report' },
  exposure: { title: 'stagely exposure receipt 1', field: 'exposure' },
  access: { title: 'stagely access report 1', field: 'access' },
} as const
export type ReportKind = keyof typeof reports

/** What is signed of a report, whose `text` is canonical JSON. One of another kind, or a head, is another text. */
export const reportText = (kind: ReportKind, text: string): string =>
  JSON.stringify([reports[kind].title, text])

/** What a verifier needs: of Node, or of a browser's WebCrypto. */
export interface ChainCrypto {
  /** SHA-256 of the text in UTF-8, in base64url. */
  readonly sha256: (text: string) => string | Promise<string>
  /** Ed25519; `publicKey` is 32 bytes in base64url, and so is the signature of 64. */
  readonly verify: (
    publicKey: string,
    text: string,
    signature: string,
  ) => boolean | Promise<boolean>
}

/** Base64url of 32 and 64 bytes. The last letter holds few bits: only the one that encoders write is taken, so that an edited one shows. */
const keyPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const signaturePattern = /^[A-Za-z0-9_-]{85}[AQgw]$/

/** False for a signature by another key or of another text, and for malformed input. */
export const isSignedText = async (
  crypto: ChainCrypto,
  by: string,
  signed: string,
  signature: string,
): Promise<boolean> => {
  const isWellFormed = keyPattern.test(by) && signaturePattern.test(signature)
  return isWellFormed && crypto.verify(by, signed, signature)
}

export const isSigned = (
  crypto: ChainCrypto,
  by: string,
  as: SignedAs,
  point: ChainPoint & { readonly signature?: string | undefined },
): Promise<boolean> => isSignedText(crypto, by, signedText(as, point), point.signature ?? '')
