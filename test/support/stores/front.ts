// What stands before each store of the tests: a server with TLS that passes requests on, or does what
// stores, and what stands before them, do on bad days.
import { once } from 'node:events'
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createEgress, type Egress } from '../../../controller/egress/gate.ts'
import { parseRules } from '../../../controller/egress/rules.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { certificateUntil } from '../http/certificates.ts'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
  readonly text: string
}

export interface Reply {
  readonly status: number
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export type StandIn = (asked: Asked) => Reply | Promise<Reply>

export type Weather =
  | 'fine'
  | 'hang'
  | 'reset'
  | 'html'
  | 'truncated'
  | 'long'
  | 'redirect'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }

export interface Front {
  readonly url: string
  /** Certificate that signs its own. */
  readonly ca: string
  weather: Weather
  /** How far the clock of its answers is ahead. */
  skewMs: number
  /** Requests so far, also those that found no answer. */
  readonly asked: Asked[]
  close(): Promise<void>
}

const name = 'store.test'

const readAll = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}

const askedOf = async (request: IncomingMessage): Promise<Asked> => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://store.test')
  const text = await readAll(request)
  const isJson = text.startsWith('{')
  return {
    method: request.method ?? '',
    path: pathname,
    query: searchParams,
    text,
    headers: request.headers,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  }
}

const answerAs = (weather: Weather, response: ServerResponse): boolean => {
  if (weather === 'hang') return true
  if (weather === 'html') response.setHeader('content-type', 'text/html').end('<html>Hello</html>')
  else if (weather === 'long') response.end(`{"a":"${'x'.repeat(10_000_000)}"}`)
  else if (weather === 'redirect')
    response.writeHead(302, { location: 'https://elsewhere.test/' }).end()
  else if (typeof weather === 'object')
    response.writeHead(weather.status, weather.headers).end(weather.body)
  else return false
  return true
}

/** `isPlain`: without TLS at 127.0.0.1, for a controller whose operator allows that. */
export const startFront = async (standIn: StandIn, { isPlain = false } = {}): Promise<Front> => {
  const { pem, keyPem } = await certificateUntil(realClock.now() + 86_400_000, [name])
  const asked: Asked[] = []
  const onRequest: RequestListener = (request, response) => {
    const answer = async (): Promise<void> => {
      const one = await askedOf(request)
      asked.push(one)
      response.setHeader('date', new Date(realClock.now() + front.skewMs).toUTCString())
      if (answerAs(front.weather, response)) return
      const { status, body, headers = {} } = await standIn(one)
      const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)
      const half = text.slice(0, text.length >> 1)
      const whole = front.weather === 'truncated' ? half : text
      response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(whole) })
      if (front.weather === 'reset') response.write(half, () => response.destroy())
      else response.end(whole)
    }
    // Whoever has asked may be gone.
    answer().catch(() => response.destroy())
  }
  const server = isPlain
    ? createPlainServer(onRequest)
    : createServer({ cert: pem, key: keyPem }, onRequest)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const front: Front = {
    url: `${isPlain ? 'http://127.0.0.1' : `https://${name}`}:${(server.address() as AddressInfo).port}`,
    ca: pem,
    weather: 'fine',
    skewMs: 0,
    asked,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return front
}

/** The gate of tests: every name is this machine. */
export const gateOfTests = (mostMs?: number): Egress =>
  createEgress({
    own: () => [],
    deny: [],
    allow: parseRules('ALLOW', '127.0.0.1', []),
    lookup: () => Promise.resolve(['127.0.0.1']),
    ...(mostMs === undefined ? {} : { mostMs }),
  })
