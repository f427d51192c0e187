// The state of a login in progress. It is signed and holds everything that the answer needs. Nothing is
// stored for it, so that many started logins cannot keep anybody out.
import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { parseSigned, renderSigned } from './signed.ts'

const common = {
  /** Milliseconds since the epoch. */
  expiresAt: z.number(),
  /** Random, so that each state is different. */
  salt: z.string(),
}

export const ofCommandLine = z.strictObject({
  redirectUri: z.string(),
  clientState: z.string(),
  /** SHA-256 of the verifier that only the person's command line knows, base64url. */
  challenge: z.string(),
  ...common,
})

const ofBrowser = z.strictObject({
  /** Page of the dashboard. */
  returnTo: z.string(),
  /** Id of the session whose person proves again who they are. */
  confirms: z.string().optional(),
  ...common,
})
export type StartedInBrowser = z.infer<typeof ofBrowser>

export type StartedByCommand = z.infer<typeof ofCommandLine>

const startedLogin = z.union([ofCommandLine, ofBrowser])
type StartedLogin = z.infer<typeof startedLogin>

type Started<Login> = Login extends unknown ? Omit<Login, 'expiresAt' | 'salt'> : never

export const startedMs = 600_000

const use = 'login state'

export const renderState = (key: Buffer, login: Started<StartedLogin>, now: number): string => {
  const salt = randomBytes(16).toString('base64url')
  return renderSigned(key, use, { ...login, expiresAt: now + startedMs, salt })
}

/** undefined for a state that was not made with this key, or has expired. */
export const parseState = (key: Buffer, state: string, now: number): StartedLogin | undefined =>
  parseSigned({ key, use, schema: startedLogin }, state, now)
