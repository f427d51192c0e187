import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../src/kernel/log.ts'
import { createFakeClock } from '../../../../test/support/fake-clock.ts'
import { startHeartbeat } from './replicas.ts'

const start = () => {
  const clock = createFakeClock()
  const world = { reachable: true, otherReady: true, sentAway: 0 }
  const heartbeat = startHeartbeat({
    replicas: {
      others: [{ id: 'other', url: 'https://other', certificate: undefined }],
      beat: () => (world.reachable ? Promise.resolve() : Promise.reject(new Error('cut off'))),
    },
    peers: { isReady: () => Promise.resolve(world.otherReady) },
    onIsolated: () => {
      world.sentAway += 1
    },
    clock,
    log: silentLogger,
  })
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) await clock.advance(1_000)
  }
  return { world, pass, stop: () => heartbeat.stop() }
}

describe('a replica that loses the database', () => {
  it('sends its agents to another that has it, once each time', async () => {
    const { world, pass, stop } = start()
    await pass(20)
    world.reachable = false
    await pass(9)
    expect(world.sentAway).toBe(0)
    await pass(60)
    expect(world.sentAway).toBe(1)
    world.reachable = true
    await pass(10)
    world.reachable = false
    await pass(20)
    expect(world.sentAway).toBe(2)
    await stop()
  })

  it('keeps them while nobody has it', async () => {
    const { world, pass, stop } = start()
    Object.assign(world, { reachable: false, otherReady: false })
    await pass(120)
    expect(world.sentAway).toBe(0)
    await stop()
  })
})
