// The hash chain over audit rows: the input of a row's hash, and the text that the controller signs.
//
// hash(n) = SHA-256(hash(n-1), SHA-256(content(n))). The content holds salted digests in place of names
// and addresses. So a person is erased by deleting the salt and the text, and no hash changes.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { canonicalJson } from '../kernel/canonical-json.ts'
import type { AuditRecord } from './record.ts'

/** What a row says; its place comes beside it. */
export type AuditContent = Omit<AuditRecord, 'seq'>

const sha256 = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url')

/** The hash before the first row. */
export const genesisHash = ''

/** Kinds whose objects are people: their names are personal data. */
const people: ReadonlySet<string> = new Set(['User', 'Member'])
export const isPerson = (kind: string): boolean => people.has(kind)

export const actorDigest = (salt: string, { actor }: Pick<AuditRecord, 'actor'>): string =>
  sha256(['stagely audit actor 1', salt, actor.name, actor.id ?? null, actor.address ?? null])

export const subjectDigest = (salt: string, { object }: Pick<AuditRecord, 'object'>): string =>
  sha256(['stagely audit subject 1', salt, object.kind, object.namespace, object.name])

/** Digest of all fields of a row. */
export const contentDigest = (
  row: AuditContent,
  bound: { readonly seq: number; readonly actor: string; readonly subject: string | undefined },
): string =>
  sha256([
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

export const linkHash = (previous: string, digest: string): string =>
  sha256(['stagely audit link 1', previous, digest])

export interface ChainPoint {
  readonly seq: number
  readonly hash: string
}

/** Before the first row. */
export const genesis: ChainPoint = { seq: 0, hash: genesisHash }

/** The place of a row, and what proves what the row says. */
export interface Link extends ChainPoint {
  readonly actorSalt: string
  readonly actorDigest: string
  readonly subjectSalt: string | undefined
  readonly subjectDigest: string | undefined
}

const newSalt = (): string => randomBytes(16).toString('base64url')

/** The link of a new row, which follows `last`. */
export const linkAfter = (last: ChainPoint, row: AuditContent): Link => {
  const seq = last.seq + 1
  const actorSalt = newSalt()
  const actor = actorDigest(actorSalt, row)
  const subjectSalt = isPerson(row.object.kind) ? newSalt() : undefined
  const subject = subjectSalt === undefined ? undefined : subjectDigest(subjectSalt, row)
  const hash = linkHash(last.hash, contentDigest(row, { seq, actor, subject }))
  return { seq, hash, actorSalt, actorDigest: actor, subjectSalt, subjectDigest: subject }
}

/**
 * Meaning of a signature. `head`: the rows up to this one are in the chain. `start`: the rows up to
 * this one were pruned. A signature of one meaning is never accepted for the other.
 */
export type SignedAs = 'head' | 'start'

const signedBytes = (as: SignedAs, { seq, hash }: ChainPoint): Buffer =>
  Buffer.from(JSON.stringify([`stagely audit ${as} 1`, seq, hash]))

export interface HeadSigner {
  /** Ed25519, 32 bytes in base64url. */
  readonly publicKey: string
  sign(as: SignedAs, point: ChainPoint): string
}

/** `pkcs8` is the DER of an Ed25519 private key. */
export const createSigner = (pkcs8: Buffer): HeadSigner => {
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const { x: publicKey } = createPublicKey(key).export({ format: 'jwk' }) as { x: string }
  return {
    publicKey,
    sign: (as, point) => sign(null, signedBytes(as, point), key).toString('base64url'),
  }
}

/** False for a signature by another key or of another point, and for malformed input. */
export const isSignedBy = (
  publicKey: string,
  as: SignedAs,
  point: ChainPoint,
  signature: string,
): boolean => {
  if (!/^[A-Za-z0-9_-]{43}$/.test(publicKey)) return false
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
  return verify(null, signedBytes(as, point), key, Buffer.from(signature, 'base64url'))
}
