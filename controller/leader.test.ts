import { describe, expect, it } from 'vitest'
import { silentLogger } from '../src/kernel/log.ts'
import type { LeaderLease } from '../src/store/leader-lease.ts'
import { createFakeClock } from '../test/support/fake-clock.ts'
import { startLeader, type Leader } from './leader.ts'

const ttlMs = 2_000

/** A lease as the database keeps it, by the same clock; `renew` can be made to hang or fail. */
const createFakeLease = (now: () => number) => {
  const lease = { holder: '', term: 0, renewedAt: -Infinity }
  const faults = { renew: 'none' as 'none' | 'hang' | 'fail' }
  const alive = (): boolean => now() - lease.renewedAt < ttlMs
  const port: LeaderLease = {
    freeIn: () => Promise.resolve(alive() ? lease.renewedAt + ttlMs - now() : 0),
    acquire: (holder) => {
      if (alive()) return Promise.resolve(undefined)
      Object.assign(lease, { holder, term: lease.term + 1, renewedAt: now() })
      return Promise.resolve(lease.term)
    },
    renew: (holder, term) => {
      if (faults.renew === 'hang') return new Promise(() => undefined)
      if (faults.renew === 'fail') return Promise.reject(new Error('connection lost'))
      if (!alive() || lease.holder !== holder || lease.term !== term) return Promise.resolve(false)
      lease.renewedAt = now()
      return Promise.resolve(true)
    },
    release: (holder, term) => {
      if (lease.holder === holder && lease.term === term) lease.renewedAt = -Infinity
      return Promise.resolve()
    },
  }
  return { port, faults, lease }
}

const setUp = () => {
  const clock = createFakeClock()
  const fake = createFakeLease(() => clock.now())
  const running = new Set<string>()
  const start = (holder: string, lease: LeaderLease = fake.port, stuck = false): Leader =>
    startLeader({
      lease,
      holder,
      clock,
      monotonic: () => clock.now(),
      log: silentLogger,
      start: (term) => {
        const name = `${holder} ${String(term)}`
        running.add(name)
        return {
          stop: () => {
            running.delete(name)
            return stuck ? new Promise(() => undefined) : Promise.resolve()
          },
        }
      },
    })
  return { clock, ...fake, running, start }
}

describe('startLeader', () => {
  it('runs the loops of one of two, for as long as it renews', async () => {
    const { clock, running, start } = setUp()
    const [a, b] = [start('a'), start('b')]
    for (let s = 0; s < 60; s++) {
      await clock.advance(1_000)
      expect([...running]).toEqual(['a 1'])
    }
    expect([a.term(), b.term()]).toEqual([1, undefined])
  })

  it.each(['hang', 'fail'] as const)(
    'steps down before another leads when renewals %s, without waiting for stuck loops',
    async (fault) => {
      const { clock, running, start, port, faults } = setUp()
      const a = start('a', port, true)
      await clock.advance(10)
      const healthy: LeaderLease = { ...port }
      faults.renew = fault
      const seen = new Set<string>()
      let goneAt = 0
      for (let ms = 0; ms < 1_900; ms += 50) {
        await clock.advance(50)
        if (running.size === 0 && goneAt === 0) goneAt = ms
      }
      expect(goneAt).toBeGreaterThan(1_000)
      expect(goneAt).toBeLessThan(1_800)
      expect(a.term()).toBeUndefined()
      faults.renew = 'none'
      start('b', healthy)
      for (let ms = 0; ms < 3_000; ms += 50) {
        await clock.advance(50)
        expect(running.size).toBeLessThan(2)
        for (const name of running) seen.add(name)
      }
      expect([...seen]).toHaveLength(1)
      expect([...seen][0]).toMatch(/^[ab] 2$/)
    },
  )

  it('leads within 4 s after the leader went silent, whenever that was and though a first try fails', async () => {
    for (let diesAt = 0; diesAt <= 600; diesAt += 50) {
      const { clock, running, start, port } = setUp()
      let alive = true
      const hang = (): Promise<never> => new Promise(() => undefined)
      const a = start('a', {
        ...port,
        freeIn: () => (alive ? port.freeIn() : hang()),
        renew: (...args) => (alive ? port.renew(...args) : hang()),
      })
      await clock.advance(10)
      let tries = 0
      start('b', {
        ...port,
        acquire: async (holder) => {
          if (++tries > 1) return port.acquire(holder)
          await clock.sleep(1_500)
          throw new Error('Query read timeout')
        },
      })
      await clock.advance(1_000 + diesAt)
      alive = false
      expect(a.term()).toBe(1)
      let tookMs = 0
      while (!running.has('b 2') && tookMs < 10_000) {
        await clock.advance(10)
        tookMs += 10
      }
      expect(tries).toBe(2)
      expect(tookMs).toBeLessThan(4_000)
    }
  })

  it('goes on leading where the lease took long to take', async () => {
    const { clock, running, start, port, lease } = setUp()
    start('a', {
      ...port,
      acquire: async (holder) => {
        await clock.sleep(1_400)
        return port.acquire(holder)
      },
      renew: async (...args) => {
        await clock.sleep(80)
        return port.renew(...args)
      },
    })
    for (let ms = 0; ms < 6_000; ms += 10) await clock.advance(10)
    expect([...running]).toEqual(['a 1'])
    expect(lease.term).toBe(1)
  })

  it('stops at once when the lease is another’s by the database', async () => {
    const { clock, running, start, lease } = setUp()
    start('a')
    await clock.advance(10)
    Object.assign(lease, { holder: 'x', term: 7, renewedAt: clock.now() })
    await clock.advance(700)
    expect(running.size).toBe(0)
  })

  it('gives the lease up when it stops, after its loops have', async () => {
    const { clock, running, start } = setUp()
    const a = start('a')
    await clock.advance(10)
    start('b')
    await clock.advance(10)
    await a.stop()
    expect(running.size).toBe(0)
    await clock.advance(500)
    expect([...running]).toEqual(['b 2'])
  })

  it('tells its loops by the clock alone whether the lease still holds', async () => {
    const clock = createFakeClock()
    const { port } = createFakeLease(() => clock.now())
    let pausedMs = 0
    const leads: (() => boolean)[] = []
    const leader = startLeader({
      lease: port,
      holder: 'a',
      clock,
      monotonic: () => clock.now() + pausedMs,
      log: silentLogger,
      start: (_, asked) => {
        leads.push(asked)
        return { stop: () => Promise.resolve() }
      },
    })
    for (let ms = 0; ms < 5_000; ms += 100) {
      await clock.advance(100)
      expect(leads.map((asked) => asked())).toEqual([true])
    }
    // It wakes from a pause: none of its timers has run yet.
    pausedMs += 1_700
    expect(leads.map((asked) => asked())).toEqual([false])
    await clock.advance(5_000)
    // What is left of a former term stays without a lease.
    expect(leads.map((asked) => asked())).toEqual([false, true])
    await leader.stop()
    expect(leads.map((asked) => asked())).toEqual([false, false])
  })

  it('leads at once where there is no other', () => {
    const leads: boolean[] = []
    const lone = startLeader({
      lease: undefined,
      holder: 'a',
      clock: createFakeClock(),
      monotonic: () => 0,
      log: silentLogger,
      start: (_, asked) => {
        leads.push(asked())
        return { stop: () => Promise.resolve() }
      },
    })
    expect(lone.term()).toBe(0)
    expect(leads).toEqual([true])
  })
})
