// A heartbeat: every few seconds the agent reports that the process with the open stream is running.
// It is an empty POST with one header:
//   Authorization: Stagely-Sign REPLICA.CONNECTION.COUNTER.MAC
// The key of the MAC is derived from the HPKE context of that stream. So a heartbeat needs no session and no
// database: the replica that has the stream checks it, whichever replica receives it.
import { timingSafeEqual } from 'node:crypto'
import { requestMacKeyOf, macOf, type MacKey } from './agent-request.ts'

const scheme = 'Stagely-Sign '
const heartbeatForm = /^([\w-]{36})\.([\w-]{36})\.(\d{1,14})\.([\w-]{43})$/

export interface Heartbeat {
  /** The replica that has the stream. */
  readonly replica: string
  /** Name of the stream at that replica. */
  readonly connection: string
  /** Rises with each heartbeat of a stream. */
  readonly counter: number
  readonly mac: string
}

/**
 * The key of a stream's heartbeats, from its HPKE context: the sealer at the controller, the opener at the
 * agent.
 */
export const heartbeatKeyOf = (context: { exportKey(label: string): Buffer }): MacKey =>
  requestMacKeyOf(context.exportKey('sign of life'))

const textOf = (stream: string, counter: number): string =>
  `stagely sign of life v1\n${stream}\n${counter}`

/** The header. `stream` is REPLICA.CONNECTION, as in the `hello` message. */
export const authorizeHeartbeat = (key: MacKey, stream: string, counter: number): string => {
  const mac = macOf(key, textOf(stream, counter)).toString('base64url')
  return `${scheme}${stream}.${counter}.${mac}`
}

/** undefined when the header is not a heartbeat. */
export const parseHeartbeat = (header: string): Heartbeat | undefined => {
  const m = header.startsWith(scheme) ? heartbeatForm.exec(header.slice(scheme.length)) : null
  if (m === null) return undefined
  return { replica: m[1]!, connection: m[2]!, counter: Number(m[3]), mac: m[4]! }
}

export const isHeartbeatBy = (
  key: MacKey,
  { replica, connection, counter, mac }: Heartbeat,
): boolean =>
  timingSafeEqual(
    Buffer.from(mac, 'base64url'),
    macOf(key, textOf(`${replica}.${connection}`, counter)),
  )
