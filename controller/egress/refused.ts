// Addresses that nobody names without the operator: pure.
import { BlockList, isIP } from 'node:net'

const networks: readonly (readonly [what: string, base: string, prefix: number])[] = [
  ['an unspecified address', '0.0.0.0', 8],
  ['an unspecified address', '::', 128],
  ['a loopback address', '127.0.0.0', 8],
  ['a loopback address', '::1', 128],
  ['a link-local address, where clouds keep credentials of machines', '169.254.0.0', 16],
  ['a link-local address', 'fe80::', 10],
  ['an address where a cloud keeps credentials of machines', 'fd00:ec2::', 112],
  ['an address where a cloud keeps credentials of machines', 'fd20:ce::254', 128],
  ['an address where a cloud keeps credentials of machines', '100.100.100.200', 32],
  ['an address where a cloud keeps credentials of machines', '168.63.129.16', 32],
  ['a multicast address', '224.0.0.0', 4],
  ['a multicast address', 'ff00::', 8],
  ['a broadcast address', '255.255.255.255', 32],
]

const lists = networks.map(([what, base, prefix]) => {
  const list = new BlockList()
  list.addSubnet(base, prefix, isIP(base) === 6 ? 'ipv6' : 'ipv4')
  return { what, list }
})

/** 16 bytes of an address of IPv6, as groups of text. */
const groupsOf = (address: string): number[] => {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const whole =
    dotted === null
      ? address
      : `${dotted[1] ?? ''}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
  const [head = '', tail] = whole.split('::')
  const read = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => parseInt(group, 16))
  const [left, right] = [read(head), read(tail ?? '')]
  const missing = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array.from({ length: missing }, () => 0), ...right]
}

/** The address of IPv4 that one of IPv6 stands for: mapped, compatible, by NAT64 or 6to4. */
const innerOf = (address: string): string | undefined => {
  if (isIP(address) !== 6) return undefined
  const groups = groupsOf(address.replace(/%.*$/, ''))
  const dotted = (high = 0, low = 0): string =>
    [high >> 8, high & 255, low >> 8, low & 255].join('.')
  const isZero = (count: number): boolean => groups.slice(0, count).every((group) => group === 0)
  if (isZero(5) && groups[5] === 0xffff) return dotted(groups[6], groups[7])
  if (isZero(6) && (groups[6] ?? 0) > 0) return dotted(groups[6], groups[7])
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return dotted(groups[6], groups[7])
  if (groups[0] === 0x2002) return dotted(groups[1], groups[2])
  return undefined
}

/** The address as it counts: where one of IPv6 stands for one of IPv4, that one, without the interface of a link. */
export const plainAddress = (address: string): string =>
  innerOf(address) ?? address.replace(/%.*$/, '')

/** What is wrong with the address; undefined: nothing. */
export const refusedAs = (address: string): string | undefined => {
  const plain = plainAddress(address)
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4'
  return lists.find(({ list }) => list.check(plain, family))?.what
}
