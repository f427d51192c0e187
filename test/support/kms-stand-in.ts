// A key service on a port of loopback, for the real SDKs: AWS KMS (JSON 1.1), Google Cloud KMS
// (REST) and Vault Transit, in the answers that the providers read. It also does what services do on
// bad days. It proves nothing about the real ones: see docs/operations.md for what was not tried.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** `down` cuts the connection; `hang` never answers; the rest answer as the service would. */
type Weather =
  'fine' | 'throttle' | 'hang' | 'down' | 'disabled' | 'denied' | 'wrong key' | 'corrupt'

export interface KmsStandIn {
  readonly url: string
  weather: Weather
  /** How many requests the weather lasts; then it is fine again. */
  lasts: number
  /** Requests for encryption and decryption so far. */
  requests: number
  /** Tokens that Vault accepts. */
  readonly tokens: Set<string>
  renewals: number
  readonly namespaces: Set<string>
  /** A new version of the key: what is wrapped from now on says so. */
  rotate(): void
  close(): Promise<void>
}

export const awsKeyArn =
  'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
export const gcpKeyName = 'projects/p/locations/global/keyRings/r/cryptoKeys/stagely'
export const vaultKeyName = 'transit/stagely'

interface Reply {
  readonly status: number
  readonly body: object
}

class Vault {
  readonly #keys = [randomBytes(32)]

  get version(): number {
    return this.#keys.length
  }

  rotate(): void {
    this.#keys.push(randomBytes(32))
  }

  encrypt(plaintext: Buffer, aad: string): Buffer {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#keys.at(-1)!, nonce)
    cipher.setAAD(Buffer.from(aad))
    const body = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    return Buffer.concat([Buffer.from([this.version]), nonce, body])
  }

  /** Undefined for what it did not encrypt, or not for this purpose. */
  decrypt(ciphertext: Buffer, aad: string): Buffer | undefined {
    try {
      const decipher = createDecipheriv(
        'aes-256-gcm',
        this.#keys[ciphertext[0]! - 1]!,
        ciphertext.subarray(1, 13),
      )
      decipher.setAAD(Buffer.from(aad))
      decipher.setAuthTag(ciphertext.subarray(-16))
      return Buffer.concat([decipher.update(ciphertext.subarray(13, -16)), decipher.final()])
    } catch {
      return undefined
    }
  }
}

const readBody = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}

const bytesOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64')
const corrupted = (bytes: Buffer): Buffer => {
  const changed = Buffer.from(bytes)
  changed[changed.length - 1]! ^= 1
  return changed
}

interface Scene {
  readonly vault: Vault
  readonly weather: Weather
  readonly body: Record<string, unknown>
}

const awsReply = ({ vault, weather, body }: Scene, encrypt: boolean): Reply => {
  const fails = (type: string, status = 400): Reply => ({
    status,
    body: { __type: type, message: 'not now' },
  })
  if (weather === 'throttle') return fails('ThrottlingException')
  if (weather === 'disabled') return fails('DisabledException')
  if (weather === 'denied') return fails('AccessDeniedException')
  const aad = JSON.stringify(body['EncryptionContext'])
  const KeyId = weather === 'wrong key' ? awsKeyArn.replace('1234abcd', 'ffffffff') : awsKeyArn
  if (encrypt) {
    const made = vault.encrypt(bytesOf(body['Plaintext']), aad)
    const blob = weather === 'corrupt' ? corrupted(made) : made
    return { status: 200, body: { KeyId, CiphertextBlob: blob.toString('base64') } }
  }
  const plaintext = vault.decrypt(bytesOf(body['CiphertextBlob']), aad)
  if (plaintext === undefined) return fails('InvalidCiphertextException')
  return { status: 200, body: { KeyId, Plaintext: plaintext.toString('base64') } }
}

const gcpReply = ({ vault, weather, body }: Scene, encrypt: boolean): Reply => {
  const fails = (status: number, word: string): Reply => ({
    status,
    body: { error: { code: status, status: word, message: 'not now' } },
  })
  if (weather === 'throttle') return fails(429, 'RESOURCE_EXHAUSTED')
  if (weather === 'disabled') return fails(400, 'FAILED_PRECONDITION')
  if (weather === 'denied') return fails(403, 'PERMISSION_DENIED')
  const aad = String(body['additionalAuthenticatedData'])
  if (encrypt) {
    const made = vault.encrypt(bytesOf(body['plaintext']), aad)
    const blob = weather === 'corrupt' ? corrupted(made) : made
    const key = weather === 'wrong key' ? `${gcpKeyName}-other` : gcpKeyName
    const name = `${key}/cryptoKeyVersions/${vault.version}`
    return { status: 200, body: { name, ciphertext: blob.toString('base64') } }
  }
  const plaintext = vault.decrypt(bytesOf(body['ciphertext']), aad)
  if (plaintext === undefined) return fails(400, 'INVALID_ARGUMENT')
  return { status: 200, body: { plaintext: plaintext.toString('base64') } }
}

const vaultReply = ({ vault, weather, body }: Scene, encrypt: boolean): Reply => {
  const fails = (status: number, text: string): Reply => ({ status, body: { errors: [text] } })
  if (weather === 'throttle') return fails(429, 'request path "transit" rate limit quota exceeded')
  if (weather === 'disabled') return fails(503, 'Vault is sealed')
  if (weather === 'denied') return fails(403, 'permission denied')
  const aad = String(body['associated_data'])
  if (encrypt) {
    const made = vault.encrypt(bytesOf(body['plaintext']), aad)
    const blob = weather === 'corrupt' ? corrupted(made) : made
    const ciphertext = `vault:v${vault.version}:${blob.toString('base64')}`
    return { status: 200, body: { data: { ciphertext } } }
  }
  const text = String(body['ciphertext']).replace(/^vault:v\d+:/, '')
  const plaintext = vault.decrypt(bytesOf(text), aad)
  if (plaintext === undefined) return fails(400, 'cipher: message authentication failed')
  return { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } }
}

const send = (response: ServerResponse, { status, body }: Reply): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

export const startKmsStandIn = async (): Promise<KmsStandIn> => {
  const vault = new Vault()
  const server: Server = createServer()
  const state = {
    url: '',
    weather: 'fine' as Weather,
    lasts: Infinity,
    requests: 0,
    tokens: new Set(['vault-token']),
    renewals: 0,
    namespaces: new Set<string>(),
    rotate: () => {
      vault.rotate()
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }

  const nextWeather = (): Weather => {
    if (state.lasts <= 0) state.weather = 'fine'
    state.lasts--
    return state.weather
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request)
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (path.startsWith('/v1/auth/token/')) {
      if (path.endsWith('renew-self')) state.renewals++
      const data = { ttl: 2, renewable: true }
      send(response, { status: 200, body: { data, auth: { lease_duration: 2, renewable: true } } })
      return
    }
    state.requests++
    const weather = nextWeather()
    if (weather === 'down') request.socket.destroy()
    if (weather === 'down' || weather === 'hang') return
    const scene = { vault, weather, body }
    const target = request.headers['x-amz-target']
    if (typeof target === 'string') send(response, awsReply(scene, target.endsWith('.Encrypt')))
    else if (path.includes('/cryptoKeys/'))
      send(response, gcpReply(scene, path.endsWith(':encrypt')))
    else if (!state.tokens.has(String(request.headers['x-vault-token'])))
      send(response, { status: 403, body: { errors: ['permission denied'] } })
    else {
      state.namespaces.add(String(request.headers['x-vault-namespace']))
      send(response, vaultReply(scene, path.includes('/encrypt/')))
    }
  }

  server.on('request', (request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return state
}
