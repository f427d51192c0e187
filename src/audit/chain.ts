// Makes the chain of audit rows, with Node's cryptography. What is hashed and signed is in texts.ts.
import { createPrivateKey, createPublicKey, hash, randomBytes, sign, verify } from 'node:crypto'
import {
  actorText,
  contentText,
  reportText,
  isPerson,
  linkText,
  signedText,
  subjectText,
  type AuditContent,
  type ChainCrypto,
  type ChainPoint,
  type SignedAs,
  type ReportKind,
} from './texts.ts'

export const sha256 = (text: string): string => hash('sha256', text, 'base64url')

/** Digest of all fields of a row. */
export const contentDigest = (...row: Parameters<typeof contentText>): string =>
  sha256(contentText(...row))

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
  const actor = sha256(actorText(actorSalt, row))
  const subjectSalt = isPerson(row.object.kind) ? newSalt() : undefined
  const subject = subjectSalt === undefined ? undefined : sha256(subjectText(subjectSalt, row))
  const digest = contentDigest(row, { seq, actor, subject })
  return {
    seq,
    hash: sha256(linkText(last.hash, digest)),
    actorSalt,
    actorDigest: actor,
    subjectSalt,
    subjectDigest: subject,
  }
}

export interface HeadSigner {
  /** Ed25519, 32 bytes in base64url. */
  readonly publicKey: string
  sign(as: SignedAs, point: ChainPoint): string
  /** `text` is the document as canonical JSON. */
  signReport(kind: ReportKind, text: string): string
}

/** `pkcs8` is the DER of an Ed25519 private key. */
export const createSigner = (pkcs8: Buffer): HeadSigner => {
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const { x: publicKey } = createPublicKey(key).export({ format: 'jwk' }) as { x: string }
  return {
    publicKey,
    sign: (as, point) => sign(null, Buffer.from(signedText(as, point)), key).toString('base64url'),
    signReport: (kind, text) =>
      sign(null, Buffer.from(reportText(kind, text)), key).toString('base64url'),
  }
}

export const nodeCrypto: ChainCrypto = {
  sha256,
  verify: (publicKey, text, signature) => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: publicKey }
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
  },
}
