import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../../test/support/fake-clock.ts'
import { gatherNotifications } from './gathered-notifications.ts'
import { createSigningKeys } from './signing-keys.ts'

const uid = '6f1c7f0e-3a55-4a53-8b0a-2d7f3a1c9e11'
const signingKey = 'key-of-the-hook'
const away = new StagelyError('ServiceUnavailable', 'the database cannot be reached')
const vault = {
  kind: 'SecretStore',
  metadata: { namespace: 'default', name: 'vault', uid },
  spec: { push: { hook: { signingKeyRef: { name: 'hook' }, signature: 'StandardWebhooks' } } },
} as unknown as KubeObject
const keySecret = {
  kind: 'StagelySecret',
  metadata: { namespace: 'default', name: 'hook', uid: 'of-the-key' },
  spec: { audience: 'Controller' },
  status: { version: 1 },
} as unknown as KubeObject

/** A controller whose database is away for the next `away` writes. */
const serve = () => {
  const clock = createFakeClock()
  const is = { away: 0, reads: 0 }
  const asked: string[][] = []
  const tx = {
    get: () => Promise.resolve(vault),
    update: ({ metadata }: KubeObject) => {
      asked.push(metadata.annotations![annotations.refresh]!.split('\n').slice(1))
      return Promise.resolve()
    },
  }
  const store = {
    get: () => Promise.resolve(keySecret),
    revealSecret: () => {
      is.reads += 1
      return Promise.resolve({ value: Buffer.from(signingKey) })
    },
    write: (_actor: unknown, _options: unknown, work: (given: typeof tx) => Promise<void>) =>
      is.away-- > 0 ? Promise.reject(away) : work(tx),
  }
  const deps = { store: store as unknown as Store, clock, log: silentLogger }
  const notifications = gatherNotifications(deps)
  const keys = createSigningKeys(deps)
  const notification = (...named: string[]): void =>
    notifications.receive(uid, { object: vault, address: '127.0.0.1', keys: new Set(named) })
  const keyNow = () => keys.of(vault, 'hook')
  return { clock, is, asked, notification, keys, keyNow, stop: notifications.stop }
}

describe('notifications of a store', () => {
  it('ask for a look at once, and those of the next seconds for one together', async () => {
    const { clock, asked, notification, stop } = serve()
    notification('a')
    await clock.advance(1_000)
    expect(asked).toEqual([['a']])
    notification('b')
    notification('c')
    await clock.advance(3_000)
    expect(asked).toEqual([['a']])
    await clock.advance(1_000)
    expect(asked).toEqual([['a'], ['b', 'c']])
    await stop()
  })

  it('that find the database away are kept, and heeded with the next ones when it is back', async () => {
    const { clock, is, asked, notification, stop } = serve()
    is.away = 1
    notification('a')
    await clock.advance(1_000)
    expect(asked).toEqual([['a']])
    notification('b')
    is.away = 2
    await clock.advance(5_000)
    notification('c')
    await clock.advance(10_000)
    expect(asked.flat()).toEqual(['a', 'b', 'c'])
    await stop()
  })

  it('are checked with a key that is read again after ten minutes, and once its store is gone', async () => {
    const { clock, is, keys, keyNow } = serve()
    expect(String(await keyNow())).toBe(signingKey)
    await keyNow()
    expect(is.reads).toBe(1)
    await clock.advance(600_000)
    await keyNow()
    expect(is.reads).toBe(2)
    keys.forget(uid)
    await keyNow()
    expect(is.reads).toBe(3)
    keys.stop()
  })
})
