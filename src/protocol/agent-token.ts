// Request tokens: a compact EdDSA JWT that the agent signs with its own Ed25519 key. The controller
// holds only the public half, so nothing it stores can impersonate an agent.
import { createHash, randomUUID, sign, verify, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../kernel/clock.ts'

/** A token lives for at most this long. */
export const maxTokenLifeMs = 5 * 60_000
/** Clocks may be apart by this much; more is refused, because times in reports would lie. */
export const maxClockSkewMs = 5 * 60_000

const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'JWT' })).toString('base64url')
const headerSchema = z.object({ alg: z.literal('EdDSA') })
const claimsSchema = z.object({
  sub: z.string(),
  aud: z.string(),
  /** Seconds since the epoch, as in RFC 7519. */
  iat: z.number(),
  exp: z.number(),
  jti: z.string(),
})
type Claims = z.infer<typeof claimsSchema>

/** Why a token was refused. */
type TokenFault =
  'Malformed' | 'WrongAudience' | 'UnknownAgent' | 'BadSignature' | 'Expired' | 'ClockSkew'

export type Verified<Agent> =
  | { readonly ok: true; readonly agentUid: string; readonly agent: Agent }
  | { readonly ok: false; readonly reason: TokenFault; readonly message: string }

/** Signs a token at `now` (ms), valid for `lifeMs`. About 50 µs; agents use one for many requests. */
export const signAgentToken = (
  key: KeyObject,
  claims: { agentUid: string; controllerId: string; now: number; lifeMs?: number },
): string => {
  const iat = Math.floor(claims.now / 1000)
  const body: Claims = {
    sub: claims.agentUid,
    aud: claims.controllerId,
    iat,
    exp: iat + Math.floor((claims.lifeMs ?? maxTokenLifeMs) / 1000),
    jti: randomUUID(),
  }
  const text = `${header}.${Buffer.from(JSON.stringify(body)).toString('base64url')}`
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`
}

export interface TokenVerifierDeps<Agent> {
  readonly controllerId: string
  /** The agent as it is now; undefined when it is unknown or revoked. Asked for on every request. */
  readonly agentOf: (agentUid: string) => Promise<Agent | undefined>
  readonly keyOf: (agent: Agent) => KeyObject
  readonly clock: Clock
  /** Most tokens remembered; the oldest go first. */
  readonly cacheSize?: number
}

/**
 * Verifies tokens and remembers the good ones by their SHA-256 until they expire. A hit still asks
 * whether the agent is there with the same key, so that a revoked one is out at once.
 */
export const createTokenVerifier = <Agent>(
  deps: TokenVerifierDeps<Agent>,
): ((token: string) => Promise<Verified<Agent>>) => {
  const seen = new Map<string, { agentUid: string; key: KeyObject }>()
  const cacheSize = deps.cacheSize ?? 20_000
  return async (token) => {
    const parsed = parseToken(token)
    if (parsed === undefined) return refuse('Malformed', 'the request has no valid agent token')
    const { claims } = parsed
    const wrong = decideClaims(claims, deps.controllerId, deps.clock.now())
    if (wrong !== undefined) return wrong
    const agent = await deps.agentOf(claims.sub)
    if (agent === undefined) return refuse('UnknownAgent', unknownAgent)
    const key = deps.keyOf(agent)
    const hash = createHash('sha256').update(token).digest('base64')
    const hit = seen.get(hash)
    if (hit?.key.equals(key) === true) return { ok: true, agentUid: hit.agentUid, agent }
    if (!verify(null, Buffer.from(parsed.signed), key, parsed.signature)) {
      return refuse('BadSignature', 'the token is not signed by the key that this agent registered')
    }
    if (seen.size >= cacheSize) seen.delete(seen.keys().next().value!)
    seen.set(hash, { agentUid: claims.sub, key })
    return { ok: true, agentUid: claims.sub, agent }
  }
}

const unknownAgent =
  'this agent is not registered here, or was revoked; give it a new join token: stagely agent token create'

const refuse = (reason: TokenFault, message: string): Verified<never> => ({
  ok: false,
  reason,
  message,
})

const parseToken = (
  token: string,
): { signed: string; signature: Buffer; claims: Claims } | undefined => {
  const [head, body, signature, more] = token.split('.')
  if (head === undefined || body === undefined || signature === undefined) return undefined
  if (more !== undefined || token.length > 2048) return undefined
  try {
    headerSchema.parse(JSON.parse(Buffer.from(head, 'base64url').toString()))
    const claims = claimsSchema.parse(JSON.parse(Buffer.from(body, 'base64url').toString()))
    return { signed: `${head}.${body}`, signature: Buffer.from(signature, 'base64url'), claims }
  } catch {
    return undefined
  }
}

/** Peers may say any number; Date knows only these. */
const maxDateMs = 8_640_000_000_000_000
const utc = (ms: number): string =>
  new Date(Math.min(Math.max(ms, -maxDateMs), maxDateMs)).toISOString()

/** Both times are in the message, because a wrong clock is found by looking at both. */
const decideClaims = (
  claims: Claims,
  controllerId: string,
  now: number,
): Verified<never> | undefined => {
  if (claims.aud !== controllerId) {
    return refuse('WrongAudience', 'the token is meant for another controller; join this one anew')
  }
  const [issued, expires] = [claims.iat * 1000, claims.exp * 1000]
  if (expires - issued > maxTokenLifeMs) return refuse('Malformed', 'the token lives for too long')
  if (issued > now + maxClockSkewMs) {
    return refuse('ClockSkew', clockSkewMessage(issued, now))
  }
  if (expires + maxClockSkewMs < now) {
    return refuse(
      'Expired',
      `the token expired at ${utc(expires)}; it is ${utc(now)} at the controller (set the agent’s clock, if it differs)`,
    )
  }
  return undefined
}

/** What to say when the clocks of agent and controller are too far apart; times in ms. */
export const clockSkewMessage = (agentMs: number, controllerMs: number): string =>
  `the clocks differ by more than 5 minutes: agent ${utc(agentMs)}, controller ${utc(controllerMs)}; set the wrong one, for instance with NTP`
