import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { certificateUntil } from '../../test/support/http/certificates.ts'
import { createEgress, mostBytes, type EgressDeps } from './gate.ts'
import { parseRules } from './rules.ts'

const rules = (text: string) => {
  const faults: string[] = []
  const parsed = parseRules('STAGELY_EGRESS_ALLOW', text, faults)
  expect(faults).toEqual([])
  return parsed
}
const gate = ({ allow = '', deny = '', ...deps }: Partial<EgressDeps> | Record<string, unknown>) =>
  createEgress({
    own: () => [],
    ...deps,
    allow: rules(allow as string),
    deny: rules(deny as string),
  })
const servers: Server[] = []
const serve = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

describe('without a word of the operator', () => {
  it.each([
    ['https://127.0.0.1/', 'loopback'],
    ['https://localhost/', 'loopback'],
    ['https://0x7f.1/', 'loopback'],
    ['https://2130706433/', 'loopback'],
    ['https://[::1]/', 'loopback'],
    ['https://[::ffff:127.0.0.1]/', 'loopback'],
    ['https://[::127.0.0.1]/', 'loopback'],
    ['https://[64:ff9b::7f00:1]/', 'loopback'],
    ['https://[2002:7f00:1::]/', 'loopback'],
    ['https://0.0.0.0/', 'unspecified'],
    ['https://[::]/', 'unspecified'],
    ['https://169.254.169.254/latest/meta-data', 'link-local'],
    ['https://[fe80::1]/', 'link-local'],
    ['https://[::ffff:169.254.169.254]/', 'link-local'],
    ['https://[fd00:ec2::254]/', 'credentials of machines'],
    ['https://[fd00:ec2::23]/', 'credentials of machines'],
    ['https://[fd20:ce::254]/', 'credentials of machines'],
    ['https://100.100.100.200/', 'credentials of machines'],
    ['https://224.0.0.1/', 'multicast'],
    ['https://[ff02::1]/', 'multicast'],
    ['https://255.255.255.255/', 'broadcast'],
    ['http://192.0.2.1/', 'use https'],
  ])('%s is refused: %s', async (url, why) => {
    const lookup = () => Promise.resolve(['127.0.0.1'])
    const call = gate({ lookup }).call({ url })
    await expect(call).rejects.toMatchObject({ reason: 'Forbidden' })
    await expect(call).rejects.toThrow(why)
  })

  it.each(['ftp://example.com/', 'nonsense', 'https://user:pass@example.com/'])(
    '%s is no address to call',
    async (url) => {
      const call = gate({}).call({ url })
      await expect(call).rejects.toMatchObject({ reason: 'BadRequest' })
      await expect(call).rejects.not.toThrow('pass@')
    },
  )

  it('a name is refused where one of its addresses is', async () => {
    const lookup = () => Promise.resolve(['192.0.2.1', '10.0.0.1', '127.0.0.1'])
    await expect(gate({ lookup }).call({ url: 'https://both.example/' })).rejects.toThrow(
      '127.0.0.1 is a loopback',
    )
  })
})

describe('by the word of the operator', () => {
  it('what is allowed by name, address or network is called, and only on its port', async () => {
    const port = await serve((_, response) => response.end('hello'))
    const url = `http://hooks.test:${port}/x?y=1`
    const lookup = () => Promise.resolve(['127.0.0.1'])
    for (const allow of [
      'hooks.test',
      '*.test',
      `hooks.test:${port}`,
      '127.0.0.0/8',
      `127.0.0.1:${port}`,
    ])
      expect(await gate({ lookup, allow }).call({ url })).toMatchObject({
        status: 200,
        text: 'hello',
      })
    for (const allow of [`hooks.test:${port + 1}`, 'other.test', '10.0.0.0/8', '*.hooks.test'])
      await expect(gate({ lookup, allow }).call({ url })).rejects.toMatchObject({
        reason: 'Forbidden',
      })
  })

  it('what is denied is refused first, and so are the controller and its database', async () => {
    const lookup = () => Promise.resolve(['192.0.2.7'])
    const denied = gate({ lookup, allow: 'hooks.test', deny: '192.0.2.0/24' })
    await expect(denied.call({ url: 'https://hooks.test/' })).rejects.toThrow('STAGELY_EGRESS_DENY')
    const own = () => [{ host: 'db.internal', port: 5432 }]
    const itself = gate({ lookup, own, allow: 'hooks.test' })
    await expect(itself.call({ url: 'https://hooks.test:5432/' })).rejects.toThrow('its database')
  })

  it.each(['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '127.0.0.1'])(
    'the controller itself is not called as %s, whatever is allowed and denied',
    async (host) => {
      const own = () => [{ host: '127.0.0.1', port: 8443 }]
      const itself = gate({ own, allow: '127.0.0.0/8' })
      await expect(itself.call({ url: `https://${host}:8443/` })).rejects.toThrow('its database')
      const denied = gate({ deny: '127.0.0.0/8' })
      await expect(denied.call({ url: `https://${host}/` })).rejects.toThrow('STAGELY_EGRESS_DENY')
    },
  )

  it.each(['10.0.0.0/33', 'a b', 'host:0', 'host:99999', '[::1]:x', '10.0.0.0/8/8', '*'])(
    'the rule %s is refused',
    (text) => {
      const faults: string[] = []
      expect(parseRules('STAGELY_EGRESS_DENY', `good.example, ${text}`, faults)).toHaveLength(1)
      expect(faults).toEqual([expect.stringContaining(`${text} is none`)])
    },
  )
})

describe('a call', () => {
  const allow = '127.0.0.1'
  it('resolves the name once, and calls that address', async () => {
    const port = await serve((request, response) => response.end(request.headers.host))
    let asked = 0
    const lookup = () => Promise.resolve([asked++ === 0 ? '127.0.0.1' : '169.254.169.254'])
    const url = `http://turns.test:${port}/`
    expect((await gate({ lookup, allow }).call({ url })).text).toBe(`turns.test:${port}`)
    expect(asked).toBe(1)
  })

  it('follows no redirect', async () => {
    const port = await serve((_, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    )
    const { status } = await gate({ allow }).call({ url: `http://127.0.0.1:${port}/` })
    expect(status).toBe(302)
  })

  it('is given up where an answer is too long, is cut off, or is never whole', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/long') response.end('x'.repeat(mostBytes + 1))
      else if (request.url === '/cut') response.writeHead(200).write('half')
      if (request.url === '/cut') setTimeout(() => response.destroy(), 20)
    })
    const at = (path: string, signal?: AbortSignal) =>
      gate({ allow }).call({ url: `http://127.0.0.1:${port}${path}`, ...(signal && { signal }) })
    await expect(at('/long')).rejects.toThrow(`more than ${mostBytes} bytes`)
    await expect(at('/long')).rejects.toMatchObject({ reason: 'RequestEntityTooLarge' })
    await expect(at('/cut')).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    await expect(at('/hang', AbortSignal.timeout(100))).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
    })
  })

  it('verifies certificates, and never goes on without TLS', async () => {
    const port = await serve((_, response) => response.end('plain'))
    await expect(gate({ allow }).call({ url: `https://127.0.0.1:${port}/` })).rejects.toMatchObject(
      { reason: 'ServiceUnavailable' },
    )
  })

  it('ends in time also where a name is never found', async () => {
    const lookup = () => new Promise<never>(() => undefined)
    const call = gate({ lookup, mostMs: 20 }).call({ url: 'https://slow.test/' })
    await expect(call).rejects.toThrow('slow.test:443 did not answer whole within 0.02 s')
  })

  it('gives the headers of the answer back', async () => {
    const port = await serve((_, response) => response.writeHead(429, { 'Retry-After': '7' }).end())
    const { headers } = await gate({ allow }).call({ url: `http://127.0.0.1:${port}/` })
    expect(headers['retry-after']).toBe('7')
  })

  it('may trust the certificates that a store names, for its own name alone', async () => {
    const { pem, keyPem } = await certificateUntil(realClock.now() + 86_400_000, ['vault.test'])
    const { pem: other } = await certificateUntil(realClock.now() + 86_400_000, ['vault.test'])
    const server = createTlsServer({ cert: pem, key: keyPem }, (_, response) => response.end('hi'))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const lookup = () => Promise.resolve(['127.0.0.1'])
    const to = (name: string, ca?: string) =>
      gate({ allow, lookup }).call({ url: `https://${name}:${port}/`, ca })
    expect((await to('vault.test', pem)).text).toBe('hi')
    for (const call of [to('vault.test'), to('vault.test', other), to('other.test', pem)])
      await expect(call).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
  })
})
