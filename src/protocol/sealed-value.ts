// Values that people seal with the controller's public sealing key: HPKE (RFC 9180), base mode. Text:
// `hpke2:<key id>:<base64 of encapsulated key (32)
// ciphertext>`. `hpke1:…` is bound to names only, for a sealer who does not know the uid of the
// namespace.
import { createHash, type KeyObject } from 'node:crypto'
import { StagelyError } from '../kernel/errors.ts'
import { placeBytes, type SealedFormat, type SealedPlace } from '../secrets/sealed-place.ts'
import { createOpener, createSealer } from './hpke.ts'
import { publicKeyFromRaw, type KeyPair } from './keys.ts'

const formats: ReadonlySet<string> = new Set<SealedFormat>(['hpke1', 'hpke2'])
const encLength = 32

/** Id of a sealing key, from its public half: 16 hex digits. */
export const sealingKeyId = (publicKey: Buffer): string =>
  createHash('sha256').update('stagely sealing key').update(publicKey).digest('hex').slice(0, 16)

/** The public key as a line of text, for files: `stagely-sealing-key:<base64url>`. */
const publicPrefix = 'stagely-sealing-key:'
export const renderSealingKey = (publicKey: Buffer): string =>
  `${publicPrefix}${publicKey.toString('base64url')}`

const noKey = (): StagelyError =>
  new StagelyError(
    'BadRequest',
    `this is no sealing key: expected a line "${publicPrefix}…", as "stagely seal --fetch-key" prints it`,
  )

/** BadRequest for anything but one line made by renderSealingKey(). */
export const parseSealingKey = (text: string): Buffer => {
  const line = text.trim()
  const raw = Buffer.from(line.slice(publicPrefix.length), 'base64url')
  if (!line.startsWith(publicPrefix) || raw.length !== 32) throw noKey()
  return raw
}

/** Content of a file for offline sealing: the key, and the uids of namespaces. */
interface SealingFile {
  readonly publicKey: Buffer
  readonly uids: ReadonlyMap<string, string>
}

/** The key, then one line for each namespace: `namespace <name> <uid>`. */
export const renderSealingFile = ({ publicKey, uids }: SealingFile): string => {
  const lines = [...uids].map(([name, uid]) => `namespace ${name} ${uid}`)
  return [renderSealingKey(publicKey), ...lines].join('\n')
}

/** BadRequest for a line that is neither a key nor a namespace. */
export const parseSealingFile = (text: string): SealingFile => {
  const [first = '', ...lines] = text.trim().split(/\r?\n/)
  const uids = lines.map((line): [string, string] => {
    const [, name, uid] = /^namespace (\S+) (\S+)$/.exec(line.trim()) ?? []
    if (name === undefined || uid === undefined) throw noKey()
    return [name, uid]
  })
  return { publicKey: parseSealingKey(first), uids: new Map(uids) }
}

export const sealValue = (publicKey: Buffer, place: SealedPlace, value: Buffer): string => {
  const recipient: KeyObject = publicKeyFromRaw('X25519', publicKey)
  const format: SealedFormat = place.namespaceUid === undefined ? 'hpke1' : 'hpke2'
  const bound = placeBytes(format, place)
  const sealer = createSealer({ recipient, info: bound })
  const body = Buffer.concat([sealer.enc, sealer.seal(bound, value)])
  return `${format}:${sealingKeyId(publicKey)}:${body.toString('base64')}`
}

interface Parts {
  readonly format: SealedFormat
  readonly id: string
  readonly encoded: string
}

const partsOf = (text: string): Parts | undefined => {
  const [format, id, encoded, ...rest] = text.split(':')
  const isWhole = id !== undefined && encoded !== undefined && rest.length === 0
  if (format === undefined || !formats.has(format) || !isWhole) return undefined
  return { format: format as SealedFormat, id, encoded }
}

/** The key id of a sealed value; undefined for text of another form. */
export const keyIdOfSealed = (text: string): string | undefined => partsOf(text)?.id

/** undefined when it cannot be opened: sealed for another place or key, or changed. */
export const openSealedValue = (
  recipient: KeyPair,
  place: SealedPlace,
  text: string,
): Buffer | undefined => {
  const parts = partsOf(text)
  if (parts?.id !== sealingKeyId(recipient.publicKey)) return undefined
  const { format, encoded } = parts
  if (format === 'hpke2' && place.namespaceUid === undefined) return undefined
  const body = Buffer.from(encoded, 'base64')
  if (body.length < encLength || body.toString('base64') !== encoded) return undefined
  const bound = placeBytes(format, place)
  try {
    const enc = body.subarray(0, encLength)
    return createOpener({ recipient, enc, info: bound }).open(bound, body.subarray(encLength))
  } catch {
    return undefined // the cause would not help anybody
  }
}
