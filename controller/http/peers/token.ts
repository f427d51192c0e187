// Authenticates one controller to another, by a key that is stored sealed in their database.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Allowed difference between the clocks of replicas (ms). */
const validMs = 60_000

export interface PeerRequest {
  /** The replica that is asked: the token is not valid for another one. */
  readonly to: string
  readonly path: string
  readonly body: string
}

const macOf = (key: Buffer, { to, path, body }: PeerRequest, at: number): Buffer => {
  const mac = createHmac('sha256', key)
  for (const part of [to, path, String(at), body]) mac.update(`${Buffer.byteLength(part)}:${part}`)
  return mac.digest()
}

/** `now` in ms. */
export const signPeerRequest = (key: Buffer, request: PeerRequest, now: number): string =>
  `${now}.${macOf(key, request, now).toString('base64url')}`

export const isFromPeer = (
  key: Buffer,
  request: PeerRequest,
  token: string,
  now: number,
): boolean => {
  const [time = '', mac = ''] = token.split('.')
  const at = Number(time)
  if (!/^\d{1,15}$/.test(time) || Math.abs(now - at) > validMs) return false
  const [given, expected] = [Buffer.from(mac, 'base64url'), macOf(key, request, at)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}
