// Who sends a request: the agent whose key signed its token.
import type { KeyObject } from 'node:crypto'
import { createTokenVerifier } from '../../../src/protocol/agent-token.ts'
import { publicKeyFromRaw } from '../../../src/protocol/keys.ts'
import type { AgentRoutesDeps, RegisteredAgent } from './deps.ts'
import { RefusedError, type AgentContext } from './refusal.ts'

/** Throws 401 with the reason when the token is not good. */
export type Authenticator = (
  c: AgentContext,
) => Promise<{ agentUid: string; agent: RegisteredAgent }>

/** Keeps imported keys and remembered tokens; revocation counts from the next request on. */
export const createAuthenticator = ({
  identity,
  agents,
  clock,
}: AgentRoutesDeps): Authenticator => {
  // Importing a key costs more than checking a remembered token.
  const imported = new Map<string, KeyObject>()
  const keyOf = ({ ed25519 }: RegisteredAgent): KeyObject => {
    const known = imported.get(ed25519)
    if (known !== undefined) return known
    if (imported.size >= 20_000) imported.clear()
    const key = publicKeyFromRaw('Ed25519', Buffer.from(ed25519, 'base64url'))
    imported.set(ed25519, key)
    return key
  }
  const verify = createTokenVerifier<RegisteredAgent>({
    controllerId: identity.controllerId,
    agentOf: (uid) => agents.keysOf(uid),
    keyOf,
    clock,
  })
  return async (c) => {
    const token = /^Bearer (\S+)$/.exec(c.req.header('Authorization') ?? '')?.[1] ?? ''
    const result = await verify(token)
    if (!result.ok) throw new RefusedError(401, result.reason, result.message)
    return result
  }
}
