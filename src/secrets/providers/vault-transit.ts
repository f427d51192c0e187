// The Transit engine of HashiCorp Vault and of OpenBao, over plain HTTP. The purpose of a key is
// its associated data. API: developer.hashicorp.com/vault/api-docs/secret/transit
import { readFile } from 'node:fs/promises'
import { background } from '../../kernel/async/background.ts'
import { backoffMs } from '../../kernel/backoff.ts'
import type { Clock } from '../../kernel/clock.ts'
import { defined } from '../../kernel/defined.ts'
import { pause } from '../../kernel/async/pause.ts'
import type { KeyService } from './remote.ts'

export interface VaultTransitSettings {
  /** `MOUNT/KEY`, such as `transit/stagely`. */
  readonly key: string
  /** VAULT_ADDR. */
  readonly endpoint: string
  readonly token?: string | undefined
  /** Read at each login and again when the token is refused, so that a sidecar may replace it. */
  readonly tokenFile?: string | undefined
  readonly namespace?: string | undefined
}

class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly status: number
  readonly answer: string

  constructor(status: number, answer: string) {
    super(`Vault answers ${status}`)
    this.status = status
    this.answer = answer
  }
}

const remedies: Record<number, string> = {
  403: 'access is denied: renew VAULT_TOKEN, and allow update on MOUNT/encrypt/KEY and MOUNT/decrypt/KEY',
  404: 'the mount or the key is not found: check STAGELY_KMS_KEY and VAULT_NAMESPACE',
  429: 'it throttles: raise its rate limit, or try again',
  503: 'it is sealed or in maintenance: unseal it',
}

/** Vault's texts for a bad ciphertext. Other texts mean that the key may not be used. */
const damagedText =
  /cipher: message authentication failed|invalid ciphertext|unable to decrypt|could not decode/

const isDamaged = (error: unknown): boolean =>
  error instanceof VaultError && error.status === 400 && damagedText.test(error.answer)

const explain = (error: unknown): string | undefined => {
  if (!(error instanceof VaultError)) return undefined
  if (error.status === 400)
    return 'it refuses the request: the key must exist, be of type aes256-gcm96, not derived, and its version must not be below min_decryption_version'
  return remedies[error.status] ?? `it answers ${error.status}: try again`
}

const isTransient = (error: unknown): boolean =>
  error instanceof VaultError
    ? error.status === 429 || error.status >= 500
    : error instanceof TypeError // fetch: no connection

interface VaultAnswer {
  readonly data?: Record<string, unknown> | null
  readonly auth?: { readonly lease_duration?: number; readonly renewable?: boolean } | null
}

const attempts = 4
const backoff = { baseMs: 100, capMs: 1_000 }

type Send = (
  method: 'GET' | 'POST',
  path: string,
  body: object | undefined,
  signal: AbortSignal,
) => Promise<VaultAnswer>

const createSender = (settings: VaultTransitSettings, clock: Clock): Send => {
  const base = settings.endpoint.replace(/\/+$/, '')
  let token = settings.token
  const readToken = async (): Promise<string> => {
    if (settings.tokenFile !== undefined)
      token = (await readFile(settings.tokenFile, 'utf8')).trim()
    return token ?? ''
  }
  const once: Send = async (method, path, body, signal) => {
    const response = await fetch(`${base}/v1/${path}`, {
      method,
      signal,
      redirect: 'error',
      headers: {
        'x-vault-token': token ?? (await readToken()),
        'x-vault-request': 'true',
        ...defined({ 'x-vault-namespace': settings.namespace }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new VaultError(response.status, text.slice(0, 500))
    return (text === '' ? {} : JSON.parse(text)) as VaultAnswer
  }
  return async (method, path, body, signal) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await once(method, path, body, signal)
      } catch (error) {
        const denied = error instanceof VaultError && error.status === 403
        if (denied && settings.tokenFile !== undefined && attempt === 0) await readToken()
        else if (!isTransient(error) || attempt + 1 >= attempts) throw error
        else await clock.sleep(backoffMs(attempt, backoff), signal)
      }
    }
  }
}

/** Renews a renewable token at half its lifetime, until `signal` aborts. */
const keepRenewed = async (send: Send, clock: Clock, signal: AbortSignal): Promise<void> => {
  let path: [method: 'GET' | 'POST', path: string] = ['GET', 'auth/token/lookup-self']
  while (!signal.aborted) {
    let waitMs = 60_000
    try {
      const { data, auth } = await send(
        path[0],
        path[1],
        path[0] === 'POST' ? {} : undefined,
        signal,
      )
      const seconds = Number(auth?.lease_duration ?? data?.['ttl'] ?? 0)
      const renewable = auth?.renewable ?? data?.['renewable'] === true
      if (seconds > 0 && renewable) {
        waitMs = Math.max(1_000, (seconds * 1_000) / 2)
        path = ['POST', 'auth/token/renew-self']
      }
    } catch {
      // A token without the right to look itself up still works. An expired one is noticed at the next
      // use.
      path = ['GET', 'auth/token/lookup-self']
    }
    await pause(clock, Math.min(waitMs, 2_147_000_000), signal)
  }
}

/** `vault:v3:BASE64`. */
const splitCiphertext = (text: string): { version: string; ciphertext: Buffer } => {
  const [, version = '', body = ''] = /^vault:v(\d+):(.+)$/.exec(text) ?? []
  return { version, ciphertext: Buffer.from(body, 'base64') }
}
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

export const openVaultTransit = (settings: VaultTransitSettings, clock: Clock): KeyService => {
  const stopping = new AbortController()
  const send = createSender(settings, clock)
  const slash = settings.key.lastIndexOf('/')
  const [mount, name] = [settings.key.slice(0, slash), settings.key.slice(slash + 1)]
  const aad = (context: string): string => Buffer.from(`stagely ${context}`).toString('base64')
  // An expired token is noticed at the next use.
  background(
    () => keepRenewed(send, clock, stopping.signal),
    () => undefined,
  )
  return {
    name: 'vault-transit',
    keyId: settings.key,
    encrypt: async (plaintext, context, signal) => {
      const body = { plaintext: plaintext.toString('base64'), associated_data: aad(context) }
      const { data } = await send('POST', `${mount}/encrypt/${name}`, body, signal)
      return { ...splitCiphertext(textOf(data?.['ciphertext'])), keyId: settings.key }
    },
    decrypt: async ({ ciphertext, context, version }, signal) => {
      const text = `vault:v${version}:${ciphertext.toString('base64')}`
      const body = { ciphertext: text, associated_data: aad(context) }
      const { data } = await send('POST', `${mount}/decrypt/${name}`, body, signal)
      return { plaintext: Buffer.from(textOf(data?.['plaintext']), 'base64'), keyId: undefined }
    },
    isDamaged,
    explain,
    close: () => stopping.abort(),
  }
}
