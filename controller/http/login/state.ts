// The state of a login in progress. It is signed and holds everything that the answer needs. Nothing is
// stored for it, so that many started logins cannot keep anybody out.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'

const startedLogin = z.strictObject({
  redirectUri: z.string(),
  clientState: z.string(),
  /** SHA-256 of the verifier that only the person's command line knows, base64url. */
  challenge: z.string(),
  /** Milliseconds since the epoch. */
  expiresAt: z.number(),
  /** Random, so that each state is different. */
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

/** undefined for a state that was not made with this key, or has expired. */
export const parseState = (key: Buffer, state: string, now: number): StartedLogin | undefined => {
  const [payload = '', signature = ''] = state.split('.', 2)
  const given = Buffer.from(signature, 'base64url')
  const expected = signatureOf(key, payload)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const login = startedLogin.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
  return login.expiresAt > now ? login : undefined
}
