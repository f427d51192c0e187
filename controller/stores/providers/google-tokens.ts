// With what Google is asked: a token that a service account's key signs for itself (google.aip.dev/auth/4111),
// or, by the operator's grant, one of the machine's own identity.
import { createPrivateKey, sign, type KeyObject } from 'node:crypto'
import * as z from 'zod'
import { defined } from '../../../src/kernel/defined.ts'
import { tryParseJson } from '../../../src/kernel/record.ts'
import type { StoreOpening } from '../opening.ts'
import { StoreFault } from '../provider.ts'

const scope = 'https://www.googleapis.com/auth/cloud-platform'
const keyFile = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(3),
  private_key: z.string(),
  private_key_id: z.string().optional(),
})
const machineToken = z.object({ access_token: z.string().min(1), expires_in: z.number() })
const machineUrl =
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token'
const hourS = 3_600

interface GoogleTokens {
  token(signal: AbortSignal): Promise<string>
  identity(): Promise<string>
}

interface Account {
  readonly email: string
  readonly keyId: string | undefined
  readonly key: KeyObject
}

const accountOf = (text: string): Account => {
  const read = keyFile.safeParse(tryParseJson(text))
  const none = new StoreFault(
    'Unauthorized',
    'a credential of Google is the JSON of a key of a service account',
  )
  if (!read.success) throw none
  try {
    const { client_email: email, private_key_id: keyId, private_key: pem } = read.data
    return { email, keyId, key: createPrivateKey(pem) }
  } catch {
    throw none
  }
}

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/** `now` in seconds. */
const signed = ({ email, keyId, key }: Account, now: number): string => {
  const head = base64url({
    alg: 'RS256',
    typ: 'JWT',
    ...defined({ kid: keyId }),
  })
  const claims = base64url({ iss: email, sub: email, scope, iat: now, exp: now + hourS })
  const text = `${head}.${claims}`
  return `${text}.${sign('RSA-SHA256', Buffer.from(text), key).toString('base64url')}`
}

/** The gate keeps everybody from this address; the operator has granted the identity that it gives. */
const ofMachine = async (signal: AbortSignal): Promise<z.infer<typeof machineToken>> => {
  const none = new StoreFault('Unauthorized', 'this machine has no identity of Google')
  const answer = await fetch(machineUrl, {
    signal,
    redirect: 'error',
    headers: { 'metadata-flavor': 'Google' },
  }).catch(() => {
    signal.throwIfAborted()
    throw none
  })
  const read = machineToken.safeParse(answer.ok ? await answer.json() : undefined)
  if (!read.success) throw none
  return read.data
}

export const googleTokens = ({ clock, credential, isOwn }: StoreOpening): GoogleTokens => {
  let made: { readonly text: string; readonly renewAt: number } | undefined
  const make = async (signal: AbortSignal): Promise<{ text: string; seconds: number }> => {
    if (!isOwn) {
      const now = Math.floor(clock.now() / 1_000)
      return { text: signed(accountOf(await credential()), now), seconds: hourS }
    }
    const { access_token: text, expires_in: seconds } = await ofMachine(signal)
    return { text, seconds }
  }
  return {
    token: async (signal) => {
      if (made === undefined || clock.now() >= made.renewAt) {
        const { text, seconds } = await make(signal)
        made = { text, renewAt: clock.now() + seconds * 500 }
      }
      return made.text
    },
    identity: async () =>
      isOwn ? "the machine's own service account" : accountOf(await credential()).email,
  }
}
