import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { startChangeSetCloser } from './change-sets.ts'

/** `due` answers each look with the time at which the next set is due. */
const start = (due: (now: number) => number | undefined) => {
  const clock = createFakeClock(0)
  const looks: number[] = []
  const store = {
    closeDueRevisions: (now: number) => {
      looks.push(now)
      return Promise.resolve(due(now))
    },
  }
  const closer = startChangeSetCloser({ store, clock, log: silentLogger })
  const stop = async (): Promise<void> => {
    const stopped = closer.stop()
    await clock.advance(0)
    await stopped
  }
  return { clock, looks, closer, stop }
}

describe('startChangeSetCloser', () => {
  it('looks once for a burst of writes, when the first could be due', async () => {
    const { clock, looks, closer, stop } = start(() => undefined)
    await clock.advance(500)
    for (let write = 0; write < 20; write++) {
      closer.schedule()
      await clock.advance(10)
    }
    await clock.advance(100)
    expect(looks).toEqual([0, 800])
    await stop()
  })

  it('looks again when the next set is due, whatever is written until then', async () => {
    const { clock, looks, closer, stop } = start((now) => (now === 0 ? 250 : undefined))
    await clock.advance(100)
    closer.schedule()
    await clock.advance(150)
    expect(looks).toEqual([0, 250])
    await stop()
  })

  it('hears of a write also while it waits long for a set that is held open', async () => {
    const { clock, looks, closer, stop } = start(() => 60_000)
    await clock.advance(10)
    closer.schedule()
    await clock.advance(300)
    expect(looks).toEqual([0, 310])
    await stop()
  })
})
