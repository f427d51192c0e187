// The messages by which an agent joins. The request is sealed to the controller's key that the join
// token pins (HPKE). So a proxy that ends TLS can neither read the token's secret and the agent's keys
// nor replace them. The answer is sealed as well: only the pinned controller can make one.
import type { KeyObject } from 'node:crypto'
import * as z from 'zod'
import { openMessage, sealMessage } from './agent-request.ts'
import { createOpener, createSealer } from './hpke.ts'
import type { KeyPair } from './keys.ts'
import { machineText, opaque } from '../resources/told.ts'
import { protocolText, rawKey } from './agent-text.ts'

/** Body of the POST. */
export const joinRequest = z.object({
  protocol: protocolText,
  tokenId: opaque(64),
  /** HPKE encapsulated key, base64url. */
  enc: opaque(64),
  /** A `joinContent`, sealed; base64url. */
  sealed: opaque(8192),
})

/** Keys are raw 32 bytes in base64url. */
export const joinContent = z.object({
  tokenSecret: opaque(256),
  namespace: machineText,
  name: machineText,
  ed25519: rawKey,
  x25519: rawKey,
  version: machineText,
  /** The agent's clock in ms. It rises with each attempt; the controller refuses a repeated one. */
  counter: z.int().positive(),
})

/** Sealed in transit. */
export const joinResponse = z.object({
  agentUid: z.string(),
  /** Audience of the agent's requests. */
  controllerId: z.string(),
  controllerX25519: z.string(),
})

export type JoinContent = z.infer<typeof joinContent>
export type JoinResponse = z.infer<typeof joinResponse>

const infoOf = (tokenId: string): Buffer =>
  Buffer.from(JSON.stringify(['stagely join v2', tokenId]))

/** `open` returns the answer's text; undefined when it is not from the pinned controller. */
export const sealJoin = (
  pinned: KeyObject,
  tokenId: string,
  content: JoinContent,
): { enc: string; sealed: string; open: (answer: Buffer) => string | undefined } => {
  const info = infoOf(tokenId)
  const sealer = createSealer({ recipient: pinned, info })
  const answerKey = sealer.exportKey('answer')
  return {
    enc: sealer.enc.toString('base64url'),
    sealed: sealer.seal(info, Buffer.from(JSON.stringify(content))).toString('base64url'),
    open: (answer) => openMessage(answerKey, 0, answer),
  }
}

/** BadRequest when it cannot be opened. */
export const openJoin = (
  recipient: KeyPair,
  { tokenId, enc, sealed }: Pick<z.infer<typeof joinRequest>, 'tokenId' | 'enc' | 'sealed'>,
): { content: string; answer: (response: JoinResponse) => Buffer } => {
  const info = infoOf(tokenId)
  const opener = createOpener({ recipient, enc: Buffer.from(enc, 'base64url'), info })
  const content = opener.open(info, Buffer.from(sealed, 'base64url')).toString('utf8')
  const answerKey = opener.exportKey('answer')
  return { content, answer: (response) => sealMessage(answerKey, 0, JSON.stringify(response)) }
}
