import { describe, expect, it } from 'vitest'
import { clientAddress, clientNetwork, createProxyTrust, isNetwork } from './request-identity.ts'

describe('clientAddress', () => {
  const proxies = createProxyTrust(['10.0.0.0/8', '::1'])

  it('believes no header of a peer that is not a trusted proxy', () => {
    expect(clientAddress('203.0.113.7', '198.51.100.1', proxies)).toBe('203.0.113.7')
    expect(clientAddress('10.0.0.1', '198.51.100.1', createProxyTrust([]))).toBe('10.0.0.1')
  })

  it('takes the nearest hop that no trusted proxy vouches for', () => {
    expect(clientAddress('10.0.0.1', '1.2.3.4, 198.51.100.1, 10.9.9.9', proxies)).toBe(
      '198.51.100.1',
    )
    expect(clientAddress('::1', '2001:db8::5', proxies)).toBe('2001:db8::5')
  })

  it('knows IPv4 in IPv6, and stops at what is no address', () => {
    expect(clientAddress('::ffff:10.0.0.1', '198.51.100.1', proxies)).toBe('198.51.100.1')
    expect(clientAddress('10.0.0.1', 'unknown', proxies)).toBe('10.0.0.1')
    expect(clientAddress('10.0.0.1', undefined, proxies)).toBe('10.0.0.1')
  })
})

describe('clientNetwork', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1::5', '2001:db8:0:1::/64'],
    ['2001:DB8:0:1:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:db8::192.0.2.1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4::/64'],
    ['::1', '::1'],
    ['::ffff:c000:201', '::ffff:c000:201'],
    ['', ''],
    ['unknown', 'unknown'],
  ])('of %s is %s', (address, network) => {
    expect(clientNetwork(address)).toBe(network)
  })
})

describe('isNetwork', () => {
  it('takes addresses and networks, and nothing else', () => {
    const good = ['10.0.0.0/8', '192.168.1.1', '2001:db8::/32', '::1']
    const bad = ['10.0.0.0/33', 'example.com', '', '10.0.0.0/8/8', '10.0.0.0/']
    expect(good.filter(isNetwork)).toEqual(good)
    expect(bad.filter(isNetwork)).toEqual([])
  })
})
