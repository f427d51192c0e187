import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { createSteppedClock } from '../../test/support/databases/store-fixtures.ts'
import { createClaims, type NamespaceClaimDeps, type Claims, type Lease } from './claims.ts'

/** One namespace of a cluster; `ending`: it takes nothing new. */
const createCluster = (clock: ReturnType<typeof createSteppedClock>) => {
  let lease: Lease | undefined
  let version = 0
  const world = { ending: false }
  const put = (spec: Lease['spec']): void => {
    lease = { metadata: { uid: 'u', resourceVersion: String(++version) }, spec: spec! }
  }
  const client: NamespaceClaimDeps['client'] = {
    get: () =>
      lease === undefined
        ? Promise.reject(new StagelyError('NotFound', 'no'))
        : Promise.resolve(lease),
    post: (_path, body) => {
      if (world.ending) return Promise.reject(new StagelyError('Forbidden', 'it ends'))
      put((body as Lease).spec)
      return Promise.resolve(lease)
    },
    patch: (_path, body) => {
      const given = body as Lease
      if (given.metadata.resourceVersion !== lease?.metadata.resourceVersion)
        return Promise.reject(new StagelyError('Conflict', 'newer'))
      put({ ...lease?.spec, ...given.spec })
      return Promise.resolve(lease)
    },
  }
  const follow = (
    controllerId: string,
    saidBy = (): Promise<void> => Promise.resolve(),
  ): Claims & { told: (string | undefined)[] } => {
    const told: (string | undefined)[] = []
    const times = { renewMs: 40_000, leaseMs: 120_000, lookMs: 10_000 }
    const onChange = (_: string, other: Lease | undefined): Promise<void> => {
      told.push(other?.spec?.holderIdentity)
      return saidBy()
    }
    const claims = createClaims({
      client,
      clock,
      log: silentLogger,
      controllerId,
      times,
      onChange,
    })
    return { ...claims, told }
  }
  return {
    follow,
    world,
    lease: () => lease,
    remove: () => {
      lease = undefined
    },
  }
}

describe('the claim of a namespace', () => {
  it('is the first controller’s; another writes nothing, and is told once whose it is', async () => {
    const clock = createSteppedClock()
    const cluster = createCluster(clock)
    const [first, second] = [cluster.follow('one'), cluster.follow('two')]
    expect(await first.refused('shop')).toBeUndefined()
    for (let minute = 0; minute < 10; minute += 1) {
      expect(await second.refused('shop')).toBeGreaterThan(0)
      expect(await second.refused('shop', { ends: true })).toBeGreaterThan(0)
      // As it renews: what is believed for 90 s is asked for after that.
      clock.step(95_000)
      expect(await first.refused('shop')).toBeUndefined()
    }
    expect(second.told).toEqual(['one'])
    expect(first.told).toEqual([undefined])
    expect(cluster.lease()?.spec).toMatchObject({ holderIdentity: 'one', leaseTransitions: 0 })
  })

  it('is shared by the replicas of one database', async () => {
    const cluster = createCluster(createSteppedClock())
    for (const replica of [cluster.follow('one'), cluster.follow('one')])
      expect(await replica.refused('shop')).toBeUndefined()
  })

  it('is taken over when it was not renewed for its time, by the clock of who waits', async () => {
    const clock = createSteppedClock()
    const cluster = createCluster(clock)
    const [first, second] = [cluster.follow('one'), cluster.follow('two')]
    await first.refused('shop')
    clock.step(500_000)
    // Seen for the first time: nobody knows how long ago it was renewed.
    expect(await second.refused('shop')).toBeGreaterThan(0)
    clock.step(119_000)
    expect(await second.refused('shop')).toBeGreaterThan(0)
    clock.step(12_000)
    expect(await second.refused('shop')).toBeUndefined()
    expect(await first.refused('shop')).toBeGreaterThan(0)
    expect(second.told).toEqual(['one', undefined])
    expect(first.told).toEqual([undefined, 'two'])
    expect(cluster.lease()?.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 })
  })

  it('is believed by all who ask at once, when the news of it was told', async () => {
    const clock = createSteppedClock()
    const cluster = createCluster(clock)
    let tell = (): void => undefined
    const onChange = (): Promise<void> => new Promise((resolve) => (tell = resolve))
    const claims = cluster.follow('one', onChange)
    const first = claims.refused('shop')
    await Promise.resolve()
    const second = claims.refused('shop')
    await new Promise((resolve) => setImmediate(resolve))
    const third = claims.refused('shop')
    tell()
    expect(await Promise.all([first, second, third])).toEqual([undefined, undefined, undefined])
  })

  it('is not needed to let go of what ends in a namespace that takes nothing new', async () => {
    const cluster = createCluster(createSteppedClock())
    const claims = cluster.follow('one')
    cluster.world.ending = true
    expect(await claims.refused('shop', { ends: true })).toBeUndefined()
    await expect(claims.refused('shop')).rejects.toThrow('it ends')
  })
})
