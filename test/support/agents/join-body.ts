// A request to join as an agent makes it, of parts that a test chooses.
import type { JoinContent } from '../../../src/protocol/join.ts'
import { sealJoin } from '../../../src/protocol/join.ts'
import type { JoinToken } from '../../../src/protocol/join-token.ts'
import { generateKeys, publicKeyFromRaw } from '../../../src/protocol/keys.ts'
import { protocolVersion } from '../../../src/protocol/messages.ts'

export const joinBody = (token: JoinToken, tweak: Partial<JoinContent> = {}): object => {
  const { tokenId, tokenSecret, namespace, name, controllerX25519 } = token
  const pinned = publicKeyFromRaw('X25519', Buffer.from(controllerX25519, 'base64url'))
  const { enc, sealed } = sealJoin(pinned, tokenId, {
    tokenSecret,
    namespace,
    name,
    version: '0.0.1',
    counter: Date.now(),
    ed25519: generateKeys('Ed25519').publicKey.toString('base64url'),
    x25519: generateKeys('X25519').publicKey.toString('base64url'),
    ...tweak,
  })
  return { protocol: protocolVersion, tokenId, enc, sealed }
}
