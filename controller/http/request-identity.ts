// The id and the client address of a request, for audit rows, log lines and the answer's header.
import { randomUUID } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'
import type { Logger } from '../../src/kernel/log.ts'
import type { AppContext, AppEnv } from './env.ts'

export interface ProxyTrust {
  /** True for the address of a proxy whose X-Forwarded-For is trusted. */
  trusts(address: string): boolean
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Converts an IPv4-mapped IPv6 address, as dual-stack sockets show it, to the IPv4 address. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '')

/**
 * The network that counts as one client where addresses are limited or counted: a machine has all addresses of its /64
 * of IPv6. Below ::/64 are addresses of IPv4, and loopback.
 */
export const clientNetwork = (address: string): string => {
  const plain = address.replace(/%.*$/, '')
  if (isIP(plain) !== 6) return address
  // The hexadecimal form, also where the last part is written as IPv4 is.
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::')
  const parts = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - parts.length - last.length }, () => '0')
  const network = [...parts, ...zeros, ...last].slice(0, 4)
  return network.every((part) => part === '0') ? address : `${network.join(':')}::/64`
}

/** True for an address, or for a network such as 10.0.0.0/8. */
export const isNetwork = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

/** `networks` as accepted by isNetwork(); empty: the header is ignored. */
export const createProxyTrust = (networks: readonly string[]): ProxyTrust => {
  // A look into a list costs more than the rest of this file.
  if (networks.length === 0) return { trusts: () => false }
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    if (prefix === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(prefix), familyOf(address))
  }
  return { trusts: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) }
}

/** The last address in the chain that no trusted proxy has; the ones before it may be forged. */
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

/** Takes the client's X-Request-Id if it is a plain word, else makes one; the answer contains it. */
export const identifyRequest =
  (proxies: ProxyTrust, log: Logger): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const requestId = requestIdOf(c.req.header('x-request-id'))
    c.set('requestId', requestId)
    const { incoming, outgoing } = c.env
    const peer = incoming.socket.remoteAddress ?? ''
    c.set('address', clientAddress(peer, c.req.header('x-forwarded-for'), proxies))
    // Set on the Node response, for streams that write their own head.
    if (!outgoing.headersSent) {
      outgoing.setHeader('x-request-id', requestId)
      outgoing.setHeader('x-content-type-options', 'nosniff')
    }
    await next()
    log.debug(requestLine(c), 'answered')
  }

/** Without the query, which may hold the code of a login. */
const requestLine = (c: AppContext): object => ({
  requestId: c.get('requestId'),
  method: c.req.method,
  path: c.req.path,
  status: c.env.outgoing.headersSent ? c.env.outgoing.statusCode : c.res.status,
  user: (c.get('user') as { name: string } | undefined)?.name,
  address: c.get('address'),
})
