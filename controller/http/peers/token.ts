// Authenticates one controller to another, by a key that is stored sealed in their database. The token names the
// body by its digest, so that it is checked before a byte of the body is read: TIME.DIGEST.MAC. It is good once.
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../src/kernel/clock.ts'

/** Allowed difference between the clocks of replicas (ms). */
const validMs = 60_000

interface PeerRequest {
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

/** `now` in ms, which no other request of this process has: equal ones would have one token. */
export const signPeerRequest = (
  key: Buffer,
  request: PeerRequest & { readonly body: string },
  now: number,
): string => {
  const digest = digestOf(request.body)
  return `${now}.${digest}.${macOf(key, request, now, digest).toString('base64url')}`
}

const tokenForm = /^(\d{1,15})\.([\w-]{43})\.([\w-]{43})$/

/** undefined where the token is not of a peer for this request, or was used; else whether a body is the one that it names. */
type PeerCheck = (path: string, token: string) => ((body: Buffer) => boolean) | undefined

/** For what the replica `to` is asked. A token is remembered for as long as it could be valid. */
export const createPeerCheck = (key: Buffer, to: string, clock: Clock): PeerCheck => {
  let [newer, older] = [new Set<string>(), new Set<string>()]
  let since = clock.monotonic()
  /** By its MAC: the same token can be written in several ways. */
  const isFirst = (mac: string): boolean => {
    // Twice the time: the clock of who signed may be ahead.
    if (clock.monotonic() - since > 2 * validMs) {
      ;[newer, older] = [new Set(), newer]
      since = clock.monotonic()
    }
    if (newer.has(mac) || older.has(mac)) return false
    newer.add(mac)
    return true
  }
  return (path, token) => {
    const [, time = '', digest = '', mac = ''] = tokenForm.exec(token) ?? []
    const at = Number(time)
    if (time === '' || Math.abs(clock.now() - at) > validMs) return undefined
    const [given, expected] = [Buffer.from(mac, 'base64url'), macOf(key, { to, path }, at, digest)]
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    if (!isFirst(expected.toString('base64url'))) return undefined
    return (body) => digestOf(body) === digest
  }
}
