// Values sealed by people, with nothing but the controller's public sealing key: HPKE (RFC 9180) in
// base mode. Text: `hpke1:<key id>:<base64 of encapsulated key (32) | ciphertext>`.
import { createHash, type KeyObject } from 'node:crypto'
import { StagelyError } from '../kernel/errors.ts'
import { placeBytes, type SealedPlace } from '../secrets/sealed-place.ts'
import { createOpener, createSealer } from './hpke.ts'
import { publicKeyFromRaw, type KeyPair } from './keys.ts'

const format = 'hpke1'
const encLength = 32

/** Names a sealing key by its public half: 16 hex digits. */
export const sealingKeyId = (publicKey: Buffer): string =>
  createHash('sha256').update('stagely sealing key').update(publicKey).digest('hex').slice(0, 16)

/** The public key as a line of text, for files: `stagely-sealing-key:<base64url>`. */
const publicPrefix = 'stagely-sealing-key:'
export const renderSealingKey = (publicKey: Buffer): string =>
  `${publicPrefix}${publicKey.toString('base64url')}`

/** BadRequest for anything but one line made by renderSealingKey(). */
export const parseSealingKey = (text: string): Buffer => {
  const line = text.trim()
  const raw = Buffer.from(line.slice(publicPrefix.length), 'base64url')
  if (!line.startsWith(publicPrefix) || raw.length !== 32) {
    throw new StagelyError(
      'BadRequest',
      `this is no sealing key: expected one line "${publicPrefix}…", as "stagely seal --fetch-key" prints it`,
    )
  }
  return raw
}

export const sealValue = (publicKey: Buffer, place: SealedPlace, value: Buffer): string => {
  const recipient: KeyObject = publicKeyFromRaw('X25519', publicKey)
  const bound = placeBytes(place)
  const sealer = createSealer({ recipient, info: bound })
  const body = Buffer.concat([sealer.enc, sealer.seal(bound, value)])
  return `${format}:${sealingKeyId(publicKey)}:${body.toString('base64')}`
}

/** The key id of a sealed value; undefined for a text of another form. */
export const keyIdOfSealed = (text: string): string | undefined => {
  const [version, id, body, ...rest] = text.split(':')
  return version === format && id !== undefined && body !== undefined && rest.length === 0
    ? id
    : undefined
}

/** Undefined when it does not open: another place, another key, or a changed text. */
export const openSealedValue = (
  recipient: KeyPair,
  place: SealedPlace,
  text: string,
): Buffer | undefined => {
  if (keyIdOfSealed(text) !== sealingKeyId(recipient.publicKey)) return undefined
  const encoded = text.slice(text.lastIndexOf(':') + 1)
  const body = Buffer.from(encoded, 'base64')
  if (body.length < encLength || body.toString('base64') !== encoded) return undefined
  const bound = placeBytes(place)
  try {
    const enc = body.subarray(0, encLength)
    return createOpener({ recipient, enc, info: bound }).open(bound, body.subarray(encLength))
  } catch {
    return undefined // why it does not open tells nothing that helps
  }
}
