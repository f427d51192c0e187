// The one gate for calls to addresses that users name. See ADR 0062.
import dns from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { defined } from '../../src/kernel/defined.ts'
import { isAbort, messageOf, StagelyError, type Reason } from '../../src/kernel/errors.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { plainAddress, refusedAs } from './refused.ts'
import type { Destination, EgressRule } from './rules.ts'

export interface EgressConfig {
  readonly allow: readonly EgressRule[]
  readonly deny: readonly EgressRule[]
}

export interface EgressDeps extends EgressConfig {
  /** Where this controller and its database listen. */
  readonly own: () => readonly Destination[]
  /** In place of the resolver of the machine. */
  readonly lookup?: (host: string) => Promise<readonly string[]>
  /** How long one call may take; 10 s when absent. */
  readonly mostMs?: number
}

export interface EgressCall {
  readonly url: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Certificates (PEM) that sign that of the server, in place of those that are trusted otherwise. */
  readonly ca?: string | undefined
}

export interface EgressAnswer {
  readonly status: number
  readonly text: string
  /** By name in lower case; where a name is repeated, the values with commas. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Egress {
  /**
   * Forbidden for a refused address; RequestEntityTooLarge for an answer that is too long;
   * ServiceUnavailable where no whole answer comes. Redirects are answers.
   */
  readonly call: (call: EgressCall) => Promise<EgressAnswer>
  /**
   * The address to connect to in place of the name, for what speaks another protocol over TLS. Forbidden,
   * ServiceUnavailable.
   */
  readonly admit: (to: Destination) => Promise<string>
}

const mostMs = 10_000
export const mostBytes = 1_048_576

const systemLookup = async (host: string): Promise<readonly string[]> =>
  (await dns.lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

const refusal = ({ host, port }: Destination, why: string): StagelyError =>
  new StagelyError(
    'Forbidden',
    `${host}:${port} is not called: ${why}; whoever runs the controller may allow it (STAGELY_EGRESS_ALLOW)`,
  )

const failed = (
  { host, port }: Destination,
  why: string,
  reason: Reason = 'ServiceUnavailable',
): StagelyError => new StagelyError(reason, `${host}:${port} ${why}`)

interface Target extends Destination {
  readonly url: URL
}

const targetOf = (text: string): Target => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol))
    throw new StagelyError('BadRequest', 'this is no URL with https://')
  if (url.username !== '' || url.password !== '')
    throw new StagelyError('BadRequest', 'a URL must not hold a name or a password')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  return { url, host, port }
}

const resolve = async (to: Destination, deps: EgressDeps): Promise<readonly string[]> => {
  if (isIP(to.host) !== 0) return [to.host]
  try {
    const found = await (deps.lookup ?? systemLookup)(to.host)
    if (found.length > 0) return found
  } catch {
    // Said below.
  }
  throw failed(to, 'is not known: its name has no address')
}

/** The address that is called. All that the name stands for must be good: which one counts is not the name's to say. */
const addressFor = async (to: Destination & Partial<Target>, deps: EgressDeps): Promise<string> => {
  const addresses = await resolve(to, deps)
  const own = new Set(
    (
      await Promise.all(
        deps
          .own()
          .filter(({ port }) => port === to.port)
          .map((hostname) => resolve(hostname, deps).catch(() => [])),
      )
    )
      .flat()
      .map(plainAddress),
  )
  for (const address of addresses) {
    // Also as what it stands for: a rule for 127.0.0.0/8 is one for ::ffff:127.0.0.1.
    const plain = plainAddress(address)
    const isOf = (rule: EgressRule): boolean => rule.matches(to, address) || rule.matches(to, plain)
    const denied = deps.deny.find(isOf)
    if (denied !== undefined)
      throw refusal(to, `${denied.text} is denied (STAGELY_EGRESS_DENY), which goes first`)
    if (own.has(plain)) throw refusal(to, 'the controller itself or its database is there')
    if (deps.allow.some(isOf)) continue
    const what = refusedAs(address)
    if (what !== undefined) throw refusal(to, `${address} is ${what}`)
    if (to.url?.protocol === 'http:') throw refusal(to, 'plain HTTP hides nothing: use https')
  }
  return addresses[0]!
}

interface Sending {
  readonly to: Target
  readonly address: string
  readonly call: EgressCall
  readonly signal: AbortSignal
}

const requestTo = ({ to, address, call, signal }: Sending): http.ClientRequest => {
  const { url, host, port } = to
  const { method = 'GET', headers = {}, body, ca } = call
  return (url.protocol === 'http:' ? http : https).request({
    host: address,
    port,
    method,
    agent: false,
    path: `${url.pathname}${url.search}`,
    ...(isIP(host) === 0 && { servername: host }),
    ...defined({ ca }),
    headers: {
      'user-agent': 'stagely',
      ...headers,
      host: url.host,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    signal,
  })
}

const headersOf = ({ headers }: http.IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

const answerTo = (sending: Sending, late: () => string | undefined): Promise<EgressAnswer> =>
  new Promise((resolve, reject) => {
    const request = requestTo(sending)
    const fail = (why: string, reason?: Reason): void => {
      reject(failed(sending.to, late() ?? why, reason))
      request.destroy()
    }
    request.on('error', (error) => fail(`does not answer: ${messageOf(error)}`))
    request.on('response', (response) => {
      const parts: Buffer[] = []
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > mostBytes)
          fail(`answers with more than ${mostBytes} bytes`, 'RequestEntityTooLarge')
        else parts.push(part)
      })
      response.on('error', (error) => fail(`breaks its answer off: ${messageOf(error)}`))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(parts).toString('utf8'),
          headers: headersOf(response),
        }),
      )
    })
    request.end(sending.call.body)
  })

/** Rejects when the signal aborts; the lookup of a name knows no signal. */
const orAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const aborted = new Promise<never>((_, reject) => {
    const end = (): void => reject(new DOMException('The operation was aborted', 'AbortError'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  aborted.catch(() => undefined)
  work.catch(() => undefined)
  return Promise.race([work, aborted])
}

const send = async (call: EgressCall, deps: EgressDeps): Promise<EgressAnswer> => {
  const to = targetOf(call.url)
  const limitMs = deps.mostMs ?? mostMs
  const ending = linkedAbort(...(call.signal === undefined ? [] : [call.signal]))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    ending.abort()
  }, limitMs)
  const late = (): string | undefined =>
    isLate ? `did not answer whole within ${limitMs / 1000} s` : undefined
  try {
    const address = await orAborted(addressFor(to, deps), ending.signal).catch((error: unknown) => {
      throw isAbort(error) ? failed(to, late() ?? 'is no longer looked up') : error
    })
    return await answerTo({ to, address, call, signal: ending.signal }, late)
  } finally {
    clearTimeout(timer)
    ending.abort()
  }
}

export const createEgress = (deps: EgressDeps): Egress => ({
  call: (call) => send(call, deps),
  admit: (to) => addressFor(to, deps),
})
