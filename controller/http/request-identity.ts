// Which request this is and where it came from: for audit rows, log lines and the answer's header.
import { randomUUID } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'
import type { Logger } from '../../src/kernel/log.ts'
import type { AppContext, AppEnv } from './env.ts'

export interface ProxyTrust {
  /** True for the address of a proxy whose X-Forwarded-For is believed. */
  trusts(address: string): boolean
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** IPv4 in IPv6, as dual-stack sockets show it, is the IPv4 address. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '')

/** True for an address, or for a network such as 10.0.0.0/8. */
export const isNetwork = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

/** `networks` as `isNetwork` takes them; none: no header is believed. */
export const createProxyTrust = (networks: readonly string[]): ProxyTrust => {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    if (prefix === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(prefix), familyOf(address))
  }
  return { trusts: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) }
}

/** The nearest address that no trusted proxy speaks for; anybody can write what is left of it. */
export const clientAddress = (
  peer: string,
  forwarded: string | undefined,
  proxies: ProxyTrust,
): string => {
  let address = plainAddress(peer)
  const hops = (forwarded ?? '').split(',').map((hop) => plainAddress(hop.trim()))
  while (proxies.trusts(address)) {
    const hop = hops.pop()
    if (hop === undefined || isIP(hop) === 0) break
    address = hop
  }
  return address
}

const requestIdOf = (given: string | undefined): string =>
  given !== undefined && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : randomUUID()

/** Takes the client's X-Request-Id where it is a plain word, else makes one; the answer names it. */
export const identifyRequest =
  (proxies: ProxyTrust, log: Logger): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const requestId = requestIdOf(c.req.header('x-request-id'))
    c.set('requestId', requestId)
    const { incoming, outgoing } = c.env
    const peer = incoming.socket.remoteAddress ?? ''
    c.set('address', clientAddress(peer, c.req.header('x-forwarded-for'), proxies))
    // On the Node response, so that streams which write their own head carry it too.
    if (!outgoing.headersSent) outgoing.setHeader('x-request-id', requestId)
    await next()
    log.debug(requestLine(c), 'answered')
  }

/** Never the query: it may hold a login's code. */
const requestLine = (c: AppContext): object => ({
  requestId: c.get('requestId'),
  method: c.req.method,
  path: c.req.path,
  status: c.env.outgoing.headersSent ? c.env.outgoing.statusCode : c.res.status,
  user: (c.get('user') as { name: string } | undefined)?.name,
  address: c.get('address'),
})
