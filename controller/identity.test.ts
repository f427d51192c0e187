import { createHash, X509Certificate } from 'node:crypto'
import { get, Agent } from 'node:https'
import { hostname } from 'node:os'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { realClock } from '../src/kernel/clock.ts'
import { startHttpServer } from './http/server.ts'
import { loadControllerIdentity, type ControllerIdentity, type SealedSettings } from './identity.ts'

const memorySettings = (): SealedSettings => {
  const stored = new Map<string, Buffer>()
  return {
    getSealed: (key) => Promise.resolve(stored.get(key)),
    putSealedIfAbsent: (key, bytes) => {
      if (!stored.has(key)) stored.set(key, bytes)
      return Promise.resolve(stored.get(key)!)
    },
  }
}

const load = (settings: SealedSettings, names: string[] = []): Promise<ControllerIdentity> =>
  loadControllerIdentity(settings, realClock, names)

describe('loadIdentity', () => {
  it('is the same controller after a restart, with a new leaf of the same CA', async () => {
    const settings = memorySettings()
    const first = await load(settings)
    const second = await load(settings, ['stagely.example.com', '10.0.0.7'])
    expect(second.controllerId).toBe(first.controllerId)
    expect(second.caPem).toBe(first.caPem)
    expect(second.x25519.publicKey).toEqual(first.x25519.publicKey)
    expect(second.chainPem).not.toBe(first.chainPem)
    const ca = new X509Certificate(first.caPem)
    const leaf = new X509Certificate(second.chainPem)
    expect(leaf.verify(ca.publicKey)).toBe(true)
    expect(ca.ca).toBe(true)
    expect(first.caFingerprint).toBe(createHash('sha256').update(ca.raw).digest('hex'))
    for (const name of ['localhost', hostname(), 'stagely.example.com'])
      expect(leaf.checkHost(name), name).toBe(name)
    for (const ip of ['127.0.0.1', '10.0.0.7']) expect(leaf.checkIP(ip)).toBe(ip)
    expect(leaf.subjectAltName).toContain('IP Address:0:0:0:0:0:0:0:1')
  })

  it('agrees with a replica that was first', async () => {
    const settings = memorySettings()
    const [a, b] = await Promise.all([load(settings), load(settings)])
    expect(a.caFingerprint).toBe(b.caFingerprint)
    expect(a.x25519.publicKey).toEqual(b.x25519.publicKey)
  })

  it('serves TLS 1.3 and nothing older, with its CA in the chain', async () => {
    const identity = await load(memorySettings())
    const server = await startHttpServer((_, response) => response.end('hi'), {
      host: '127.0.0.1',
      port: 0,
      tls: { chainPem: identity.chainPem, keyPem: identity.leafKeyPem },
    })
    const url = `https://localhost:${server.address.port}`
    const fetchWith = (options: object): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        get(url, { ca: identity.caPem, agent: new Agent(), ...options }, resolve).once(
          'error',
          reject,
        )
      })
    const response = await fetchWith({})
    const socket = response.socket
    if (!(socket instanceof TLSSocket)) throw new Error('not TLS')
    expect(socket.getProtocol()).toBe('TLSv1.3')
    expect(
      socket
        .getPeerCertificate(true)
        .issuerCertificate.fingerprint256.replaceAll(':', '')
        .toLowerCase(),
    ).toBe(identity.caFingerprint)
    response.resume()
    await expect(fetchWith({ maxVersion: 'TLSv1.2' })).rejects.toThrow()
    await expect(fetchWith({ ca: (await load(memorySettings())).caPem })).rejects.toThrow()
    await server.close()
  })
})
