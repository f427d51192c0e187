// A sign of life: an agent's word, every few seconds, that the process which has a stream is there. It is
// an empty POST with one header:
//   Authorization: Stagely-Sign REPLICA.CONNECTION.COUNTER.MAC
// The key of the MAC comes from the HPKE context of that one stream. So a sign needs no session and no
// database, whichever replica it comes to: the replica that has the stream checks it.
import { timingSafeEqual } from 'node:crypto'
import { macKeyOf, macOf, type MacKey } from './agent-request.ts'

const scheme = 'Stagely-Sign '
const signForm = /^([\w-]{36})\.([\w-]{36})\.(\d{1,14})\.([\w-]{43})$/

export interface Sign {
  /** The replica that has the stream. */
  readonly replica: string
  /** The stream, as that replica names it. */
  readonly connection: string
  /** Rises with each sign of a stream. */
  readonly counter: number
  readonly mac: string
}

/** Of a stream, by its HPKE context: the sealer at the controller, the opener at the agent. */
export const signKeyOf = (context: { exportKey(label: string): Buffer }): MacKey =>
  macKeyOf(context.exportKey('sign of life'))

const textOf = (stream: string, counter: number): string =>
  `stagely sign of life v1\n${stream}\n${counter}`

/** The header; `stream` is REPLICA.CONNECTION, as `hello` named it. */
export const authorizeSign = (key: MacKey, stream: string, counter: number): string => {
  const mac = macOf(key, textOf(stream, counter)).toString('base64url')
  return `${scheme}${stream}.${counter}.${mac}`
}

/** Undefined for anything but the header of a sign. */
export const parseSign = (header: string): Sign | undefined => {
  const m = header.startsWith(scheme) ? signForm.exec(header.slice(scheme.length)) : null
  if (m === null) return undefined
  return { replica: m[1]!, connection: m[2]!, counter: Number(m[3]), mac: m[4]! }
}

export const isSignBy = (key: MacKey, { replica, connection, counter, mac }: Sign): boolean =>
  timingSafeEqual(
    Buffer.from(mac, 'base64url'),
    macOf(key, textOf(`${replica}.${connection}`, counter)),
  )
