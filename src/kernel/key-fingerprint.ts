// The fingerprint of an agent's keys, for people and the audit log.
import { hash } from 'node:crypto'

export interface PublicKeys {
  /** Raw 32 bytes, base64url. */
  readonly ed25519: string
  readonly x25519: string
}

/** 16 hex digits. */
export const keyFingerprint = ({ ed25519, x25519 }: PublicKeys): string =>
  hash('sha256', `stagely agent keys ${ed25519} ${x25519}`, 'hex').slice(0, 16)
