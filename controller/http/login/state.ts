// The state of a login that is under way. It holds all that the answer needs, signed: nothing is
// stored for whoever begins a login, so that no crowd of beginners keeps anybody out.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

const startedLogin = z.strictObject({
  redirectUri: z.string(),
  clientState: z.string(),
  /** SHA-256 of the verifier that only the person's command line knows, in base64url. */
  challenge: z.string(),
  /** ms since the epoch */
  expiresAt: z.number(),
  /** Makes each state another one. */
  salt: z.string(),
})
export type StartedLogin = z.infer<typeof startedLogin>

const startedMs = 600_000

const signatureOf = (key: Buffer, payload: string): Buffer =>
  createHmac('sha256', key).update(`login state ${payload}`).digest()

export const renderState = (
  key: Buffer,
  login: Omit<StartedLogin, 'expiresAt' | 'salt'>,
  now: number,
): string => {
  const salt = randomBytes(16).toString('base64url')
  const started: StartedLogin = { ...login, expiresAt: now + startedMs, salt }
  const payload = Buffer.from(JSON.stringify(started)).toString('base64url')
  return `${payload}.${signatureOf(key, payload).toString('base64url')}`
}

/** Undefined for a state that was not made with this key, or is too old. */
export const parseState = (key: Buffer, state: string, now: number): StartedLogin | undefined => {
  const [payload = '', signature = ''] = state.split('.', 2)
  const given = Buffer.from(signature, 'base64url')
  const expected = signatureOf(key, payload)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const login = startedLogin.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
  return login.expiresAt > now ? login : undefined
}
