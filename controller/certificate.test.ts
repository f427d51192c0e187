import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '../src/kernel/log.ts'
import { createFakeClock } from '../test/support/fake-clock.ts'
import { followCertificate, readCertificate, type ShownCertificate } from './certificate.ts'
import { ConfigError } from './config-error.ts'
import type { TlsFiles } from './config.ts'
import { startHttpServer } from './http/server.ts'
import { loadControllerIdentity, type ControllerIdentity } from './identity.ts'

const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'))
let dir: string
let first: ControllerIdentity
let second: ControllerIdentity

const makeIdentity = (): Promise<ControllerIdentity> =>
  loadControllerIdentity(
    {
      getSealed: () => Promise.resolve(undefined),
      putSealedIfAbsent: (_, bytes) => Promise.resolve(bytes),
    },
    clock,
    [],
  )

const leafOf = ({ chainPem }: ControllerIdentity): string =>
  `${chainPem.split('-----END CERTIFICATE-----')[0]!}-----END CERTIFICATE-----\n`

const write = async (cert: string, key: string, ca?: string): Promise<TlsFiles> => {
  const files = { certFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key') }
  await writeFile(files.certFile, cert)
  await writeFile(files.keyFile, key)
  const caFile = ca === undefined ? undefined : join(dir, 'ca.crt')
  if (caFile !== undefined) await writeFile(caFile, ca!)
  return { ...files, caFile }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-certificate-'))
  first = await makeIdentity()
  second = await makeIdentity()
})
afterAll(() => rm(dir, { recursive: true, force: true }))

test('a chain without its root shows no CA; with the root beside it, agents can pin it', async () => {
  const bare = await readCertificate(await write(leafOf(first), first.leafKeyPem))
  expect(bare.ca).toBeUndefined()
  const files = await write(leafOf(first), first.leafKeyPem, first.caPem)
  const whole = await readCertificate(files)
  expect(whole.ca?.fingerprint).toBe(first.caFingerprint)
  expect(whole.chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
})

test('the root of somebody else is not taken for the own one', async () => {
  const files = await write(leafOf(first), first.leafKeyPem, second.caPem)
  expect((await readCertificate(files)).ca).toBeUndefined()
})

test.each([
  [
    'a key of another certificate',
    () => write(first.chainPem, second.leafKeyPem),
    /is not the key/,
  ],
  ['no certificate', () => write('', first.leafKeyPem), /holds no certificate/],
  ['no PEM', () => write(first.chainPem, 'canary-4f1c'), /must be PEM/],
])('%s is refused, and the file is not quoted', async (_, files, message) => {
  const error = await readCertificate(await files()).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).message).toMatch(message)
  expect((error as ConfigError).message).not.toContain('canary')
})

test('files that are not there are all named', async () => {
  const files = { certFile: join(dir, 'a'), keyFile: join(dir, 'b'), caFile: join(dir, 'c') }
  const error = await readCertificate(files).catch((e: unknown) => e)
  expect((error as ConfigError).faults).toHaveLength(3)
})

test('a renewed certificate is shown to new connections; a broken one is not', async () => {
  const files = await write(first.chainPem, first.leafKeyPem)
  const shown = await readCertificate(files)
  const server = await startHttpServer(() => undefined, { host: '127.0.0.1', port: 0, tls: shown })
  const stop = new AbortController()
  const renewals: ShownCertificate[] = []
  const show = (renewed: ShownCertificate): void => {
    renewals.push(renewed)
    server.renew(renewed)
  }
  let refused = 0
  const log = {
    ...silentLogger,
    error: () => {
      refused++
    },
  }
  const deps = { clock, log, signal: stop.signal }
  const following = followCertificate(files, shown, show, deps)
  try {
    const before = await peerFingerprint(server.address.port)
    await write('half a file', second.leafKeyPem)
    await expect.poll(() => clock.advance(30_000).then(() => refused)).toBeGreaterThan(0)
    expect(renewals).toEqual([])
    await write(second.chainPem, second.leafKeyPem)
    await expect.poll(() => clock.advance(30_000).then(() => renewals.length)).toBe(1)
    expect(await peerFingerprint(server.address.port)).not.toBe(before)
  } finally {
    stop.abort()
    await following
    server.destroy()
    await server.close()
  }
})

const peerFingerprint = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.once('error', reject)
  })
