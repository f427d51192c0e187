// What the operator says of outbound calls: STAGELY_EGRESS_ALLOW and STAGELY_EGRESS_DENY.
import { BlockList, isIP } from 'node:net'

export interface Destination {
  /** As the URL names it: a name in lower case, or an address. */
  readonly host: string
  readonly port: number
}

export interface EgressRule {
  /** The text of the rule. */
  readonly text: string
  readonly matches: (to: Destination, address: string) => boolean
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** True where the address is in the network. */
const inNetwork = (base: string, prefix: number): ((address: string) => boolean) => {
  const list = new BlockList()
  list.addSubnet(base, prefix, familyOf(base))
  return (address) => list.check(address, familyOf(address))
}

const ofHost = (text: string): ((to: Destination, address: string) => boolean) | undefined => {
  const [base = '', length, ...more] = text.split('/')
  const family = isIP(base)
  if (family !== 0) {
    const most = family === 6 ? 128 : 32
    const prefix = length === undefined ? most : /^\d{1,3}$/.test(length) ? Number(length) : -1
    if (more.length > 0 || prefix < 0 || prefix > most) return undefined
    const has = inNetwork(base, prefix)
    return (_, address) => has(address)
  }
  const name = text.toLowerCase()
  if (!/^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/.test(name)) return undefined
  if (name.startsWith('*.')) return ({ host }) => host.endsWith(name.slice(1))
  return ({ host }) => host === name
}

/** A network, an address or a name, and perhaps a port: `10.0.0.0/8`, `[fd00::/8]:443`, `*.corp.example:8200`. */
const parseRule = (text: string): EgressRule | undefined => {
  const parts = /^\[(.+)\](?::(\d{1,5}))?$/.exec(text) ?? /^([^:]+)(?::(\d{1,5}))?$/.exec(text)
  const [host, portText] = parts === null ? [text, undefined] : [parts[1] ?? '', parts[2]]
  const port = portText === undefined ? undefined : Number(portText)
  const isOf = ofHost(host)
  if (isOf === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined
  return {
    text,
    matches: (to, address) => (port === undefined || to.port === port) && isOf(to, address),
  }
}

export const parseRules = (
  name: string,
  text: string | undefined,
  faults: string[],
): readonly EgressRule[] =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .flatMap((item) => {
      const rule = parseRule(item)
      if (rule !== undefined) return [rule]
      faults.push(
        `${name} holds names, addresses and networks, each perhaps with a port, such as vault.internal:8200, 10.0.0.0/8 or [fd00::/8]:443; ${item} is none`,
      )
      return []
    })
