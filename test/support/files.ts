// File secrets on the tmpfs that every Linux has, and a store for tests that have none.
import { randomUUID, type KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createFileCache } from '../../agent/files/file-cache.ts'
import { loadAgentIdentity, writeIdentityFile } from '../../agent/identity/identity.ts'
import { createFileStore, type FileStore } from '../../agent/files/file-store.ts'
import { baseEnvironment } from '../../src/compose/environment.ts'
import { startAgent, type RunningAgent } from '../../agent/wire.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { generateKeys, type KeyPair } from '../../src/protocol/keys.ts'
import { tmpBorders } from './agents/allowed-folders.ts'

/** A folder of its own on a tmpfs; made when the first file is placed. */
export const newFilesRoot = (): string => join('/dev/shm', `stagely-test-${randomUUID()}`)

export const withoutFiles: FileStore = {
  pathOf: (_, digest) => `/nonexistent/${digest}`,
  place: () => Promise.resolve(undefined),
  sweep: () => Promise.resolve(),
  sweepOrphans: () => Promise.resolve(),
  restore: () => Promise.resolve(),
  reseal: () => Promise.resolve(true),
}

export const openTestFiles = (given: {
  readonly root: string
  readonly cacheDir: string
  readonly key?: KeyPair
  /** As after a rotation: the first seals, all open. */
  readonly keys?: () => readonly [KeyPair, ...KeyPair[]]
  readonly mounted?: () => Promise<readonly string[]>
  readonly onDisk?: boolean
  readonly rootOwner?: { readonly uid: number; readonly gid: number }
}): FileStore => {
  const key = given.key ?? generateKeys('X25519')
  return createFileStore({
    root: given.root,
    onDisk: given.onDisk ?? false,
    cache: createFileCache(given.cacheDir, given.keys ?? (() => [key])),
    mounted: given.mounted ?? (() => Promise.resolve([])),
    rootOwner: () => Promise.resolve(given.rootOwner),
    log: silentLogger,
  })
}

/** A whole agent whose controller is not reachable, with ten times less patience. */
export const startLonelyAgent = async (given: {
  readonly dataDir: string
  readonly filesDir: string
  readonly agentUid: string
  readonly key: KeyPair
}): Promise<RunningAgent> => {
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  await mkdir(given.dataDir, { recursive: true })
  await writeIdentityFile(given.dataDir, {
    version: 1,
    agentUid: given.agentUid,
    namespace: 'default',
    name: 'box',
    controllerId: 'nobody',
    controllerX25519: given.key.publicKey.toString('base64url'),
    url: 'https://127.0.0.1:1',
    ed25519: pem(generateKeys('Ed25519').privateKey),
    x25519: pem(given.key.privateKey),
    tokenId: 'none',
  })
  return startAgent({
    config: {
      dataDir: given.dataDir,
      joinToken: undefined,
      allowDirs: tmpBorders.allowDirs,
      logLevel: 'silent',
      environment: baseEnvironment(process.env),
      dockerSocket: '/var/run/docker.sock',
      filesDir: given.filesDir,
      filesOnDisk: false,
      fileCache: true,
      tasks: true,
    },
    identity: (await loadAgentIdentity(given.dataDir))!,
    clock: { ...realClock, sleep: (ms, signal) => realClock.sleep(ms / 10, signal) },
    random: Math.random,
    log: silentLogger,
    onConnected: () => undefined,
  })
}
