// Authenticates one controller to another, by a key that is stored sealed in their database. The token names the
// body by its digest, so that it is checked before a byte of the body is read: TIME.DIGEST.MAC.
import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/** Allowed difference between the clocks of replicas (ms). */
const validMs = 60_000

export interface PeerRequest {
  /** The replica that is asked: the token is not valid for another one. */
  readonly to: string
  readonly path: string
}

const digestOf = (body: string | Buffer): string => hash('sha256', body, 'base64url')

const macOf = (key: Buffer, { to, path }: PeerRequest, at: number, digest: string): Buffer => {
  const mac = createHmac('sha256', key)
  for (const part of ['body by digest', to, path, String(at), digest])
    mac.update(`${Buffer.byteLength(part)}:${part}`)
  return mac.digest()
}

/** `now` in ms. */
export const signPeerRequest = (
  key: Buffer,
  request: PeerRequest & { readonly body: string },
  now: number,
): string => {
  const digest = digestOf(request.body)
  return `${now}.${digest}.${macOf(key, request, now, digest).toString('base64url')}`
}

const tokenForm = /^(\d{1,15})\.([\w-]{43})\.([\w-]{43})$/

/** undefined where the token is not of a peer for this request; else whether a body is the one that it names. */
export const bodyOfPeer = (
  key: Buffer,
  request: PeerRequest,
  token: string,
  now: number,
): ((body: Buffer) => boolean) | undefined => {
  const [, time = '', digest = '', mac = ''] = tokenForm.exec(token) ?? []
  const at = Number(time)
  if (time === '' || Math.abs(now - at) > validMs) return undefined
  const [given, expected] = [Buffer.from(mac, 'base64url'), macOf(key, request, at, digest)]
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return (body) => digestOf(body) === digest
}
