// Authentication of agents' requests. The proof covers the whole request: method, path with query,
// body, counter, time and audience. Two forms of the Authorization header:
//   Stagely-Session SESSION.COUNTER.TIME.DIGEST.MAC      usual: HMAC-SHA256
//   Stagely-Key AGENT.ENC.COUNTER.TIME.DIGEST.SIGNATURE  Ed25519; ENC makes the keys of a new session
// The bodies of request and answer are sealed with the session's keys, which only the agent and the
// controller can derive (HPKE). So a proxy that ends TLS can read, forge and repeat nothing.
// INVARIANT: a key seals one request and one answer for each counter. The request that begins a session
// has counter 0.
import {
  createCipheriv,
  createDecipheriv,
  hash,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
} from 'node:crypto'
import { createOpener, createSealer } from './hpke.ts'
import type { KeyPair } from './keys.ts'

/** Header of an answer: the id of the session that a request in key form began. */
export const sessionHeader = 'Stagely-Session'
/** Header of a refusal because of a repeated counter: the highest counter that the agent has used. */
export const counterHeader = 'Stagely-Counter'
/** Content type of a sealed body. */
export const sealedType = 'application/vnd.stagely.sealed'

const tagLength = 16

interface Parties {
  readonly controllerId: string
  readonly agentUid: string
}

export interface SessionKeys {
  /** Key of the request's MAC. */
  readonly mac: MacKey
  readonly request: Buffer
  readonly answer: Buffer
}

const infoOf = ({ controllerId, agentUid }: Parties): Buffer =>
  Buffer.from(JSON.stringify(['stagely session v2', controllerId, agentUid]))

const keysFrom = (context: { exportKey(label: string): Buffer }): SessionKeys => ({
  mac: requestMacKeyOf(context.exportKey('mac')),
  request: context.exportKey('request'),
  answer: context.exportKey('answer'),
})

/** The agent's side. `enc` goes into the request that begins the session. */
export const beginSession = (
  parties: Parties,
  controllerX25519: KeyObject,
): { enc: string; keys: SessionKeys } => {
  const context = createSealer({ recipient: controllerX25519, info: infoOf(parties) })
  return { enc: context.enc.toString('base64url'), keys: keysFrom(context) }
}

/** The controller's side. BadRequest when `enc` is not a usable key. */
export const acceptSession = (parties: Parties, recipient: KeyPair, enc: string): SessionKeys =>
  keysFrom(createOpener({ recipient, enc: Buffer.from(enc, 'base64url'), info: infoOf(parties) }))

export interface RequestLine {
  readonly method: string
  /** Path with query. */
  readonly path: string
  /** The audience: the controller that the request is for. */
  readonly controllerId: string
}

interface Stamp {
  readonly counter: number
  /** Milliseconds since the epoch. */
  readonly time: number
}

interface Bound extends Stamp {
  /** SHA-256 of the sent body, base64url. */
  readonly digest: string
}

interface SessionForm extends Bound {
  readonly form: 'session'
  readonly session: string
  /** The MAC. */
  readonly proof: string
}

interface KeyForm extends Bound {
  readonly form: 'key'
  readonly agentUid: string
  readonly enc: string
  /** The signature. */
  readonly proof: string
}

export type Credentials = SessionForm | KeyForm

/**
 * SESSION.COUNTER.TIME.DIGEST.MAC and AGENT.ENC.COUNTER.TIME.DIGEST.SIGNATURE. The first is tried
 * first: most requests have it.
 */
const sessionForm = /^([\w-]{22})\.(\d{1,14})\.(\d{1,14})\.([\w-]{43})\.([\w-]{43})$/
const keyForm = /^([\w-]{1,64})\.([\w-]{43})\.(\d{1,14})\.(\d{1,14})\.([\w-]{43})\.([\w-]{86})$/
const sessionScheme = 'Stagely-Session '
const keyScheme = 'Stagely-Key '

/** undefined for any header that has neither of the two forms. */
export const parseCredentials = (header: string): Credentials | undefined => {
  if (header.startsWith(sessionScheme)) {
    const m = sessionForm.exec(header.slice(sessionScheme.length))
    if (m === null) return undefined
    const [session, digest, proof] = [m[1]!, m[4]!, m[5]!]
    return { form: 'session', session, counter: Number(m[2]), time: Number(m[3]), digest, proof }
  }
  if (!header.startsWith(keyScheme)) return undefined
  const m = keyForm.exec(header.slice(keyScheme.length))
  if (m === null) return undefined
  const [agentUid, enc, digest, proof] = [m[1]!, m[2]!, m[5]!, m[6]!]
  return { form: 'key', agentUid, enc, counter: Number(m[3]), time: Number(m[4]), digest, proof }
}

/** The sender, as the header names it. */
type Who = Pick<SessionForm, 'form' | 'session'> | Pick<KeyForm, 'form' | 'agentUid' | 'enc'>

/** The text that is authenticated. Parts are separated by line breaks, which no part can hold. */
const boundText = (line: RequestLine, who: Who, { counter, time, digest }: Bound): string => {
  const name = who.form === 'session' ? who.session : `${who.agentUid} ${who.enc}`
  return `stagely request v2\n${who.form} ${name}\n${line.method} ${line.path}\n${line.controllerId}\n${counter} ${time}\n${digest}`
}

export const digestOf = (body: Buffer): string => hash('sha256', body, 'base64url')

const blockLength = 64

/**
 * HMAC-SHA256 (RFC 2104) from two hashes. The padded key blocks are made once for a session, which
 * takes half the time of createHmac (it makes them for each call). A test compares the two.
 */
export interface MacKey {
  readonly inner: Buffer
  readonly outer: Buffer
}

export const requestMacKeyOf = (key: Buffer): MacKey => {
  // Memory of its own: a small buffer of Node's pool would keep 8 KiB of it for as long as the session lasts.
  const block = (pad: number): Buffer => {
    const bytes = Buffer.alloc(blockLength, pad)
    for (const [i, byte] of key.entries()) bytes[i] = byte ^ pad
    return bytes
  }
  return { inner: block(0x36), outer: block(0x5c) }
}

export const macOf = ({ inner, outer }: MacKey, text: string): Buffer => {
  const first = hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer')
  return hash('sha256', Buffer.concat([outer, first]), 'buffer')
}

/** The header's value, and the proof alone, to which other data of the request can be bound. */
export interface Authorization {
  readonly header: string
  readonly proof: string
}

/** Authenticates by the MAC of a session. `body` is sealed already. */
export const authorizeInSession = (
  line: RequestLine,
  body: Buffer,
  by: Stamp & { session: string; keys: SessionKeys },
): Authorization => {
  const { session, counter, time } = by
  const digest = digestOf(body)
  const text = boundText(line, { form: 'session', session }, { counter, time, digest })
  const proof = macOf(by.keys.mac, text).toString('base64url')
  return { header: `Stagely-Session ${session}.${counter}.${time}.${digest}.${proof}`, proof }
}

/** Authenticates by a signature of the agent's key. `body` is sealed already. */
export const authorizeByKey = (
  line: RequestLine,
  body: Buffer,
  by: Stamp & { agentUid: string; enc: string; ed25519: KeyObject },
): Authorization => {
  const { agentUid, enc, counter, time } = by
  const digest = digestOf(body)
  const text = boundText(line, { form: 'key', agentUid, enc }, { counter, time, digest })
  const proof = sign(null, Buffer.from(text), by.ed25519).toString('base64url')
  return { header: `Stagely-Key ${agentUid}.${enc}.${counter}.${time}.${digest}.${proof}`, proof }
}

/** True when the MAC is valid for this request. The body is compared separately, once it is read. */
export const isOfSession = (line: RequestLine, by: SessionForm, { mac }: SessionKeys): boolean => {
  const given = Buffer.from(by.proof, 'base64url')
  return timingSafeEqual(given, macOf(mac, boundText(line, by, by)))
}

/** True when the signature is valid for this request. */
export const isByKey = (line: RequestLine, by: KeyForm, ed25519: KeyObject): boolean =>
  verify(null, Buffer.from(boundText(line, by, by)), ed25519, Buffer.from(by.proof, 'base64url'))

const nonceOf = (counter: number): Buffer => {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(counter, 6, 6)
  return nonce
}

/** Seals with the key of the message's direction. */
export const sealMessage = (key: Buffer, counter: number, text: string): Buffer => {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(counter))
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

/** undefined when it cannot be opened. */
export const openMessage = (key: Buffer, counter: number, sealed: Buffer): string | undefined => {
  const split = sealed.length - tagLength
  if (split < 0) return undefined
  const options = { authTagLength: tagLength }
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(counter), options)
  decipher.setAuthTag(sealed.subarray(split))
  try {
    const opened = decipher.update(sealed.subarray(0, split))
    decipher.final()
    return opened.toString('utf8')
  } catch {
    return undefined // changed in transit, or sealed with another key
  }
}
