import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { Engine, EngineEvent } from './engine.ts'
import { createEventHub } from './event-hub.ts'

interface Stream {
  readonly event: (action: string, project?: string) => void
  readonly lose: () => void
}

/** An engine whose event streams are opened, fed and lost by the test. */
const createStreams = (): { engine: Engine; open: Stream[]; refuse: { times: number } } => {
  const open: Stream[] = []
  const refuse = { times: 0 }
  const events: Engine['events'] = ({ onOpen }, onEvent) =>
    new Promise((_resolve, reject) => {
      const lose = (): void => {
        reject(new Error('lost'))
      }
      if (refuse.times > 0) {
        refuse.times -= 1
        lose()
        return
      }
      open.push({
        lose,
        event: (Action, project = 'shop') => {
          const Attributes = { 'com.docker.compose.project': project }
          onEvent({ Action, Actor: { ID: 'id', Attributes } })
        },
      })
      onOpen()
    })
  return { engine: { events } as unknown as Engine, open, refuse }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the events of the engine', () => {
  it('come by project, over one stream', async () => {
    const { engine, open } = createStreams()
    const hub = createEventHub({ engine, clock: createFakeClock(), log: silentLogger })
    const got: (EngineEvent | undefined)[] = []
    const stop = hub.subscribe('shop', (event) => got.push(event))
    await settle()
    open[0]!.event('die')
    open[0]!.event('die', 'other')
    expect(got.map((e) => e?.Action)).toEqual(['die'])
    stop()
    open[0]!.event('start')
    expect(got).toHaveLength(1)
    hub.stop()
  })

  it('tell at both ends of a gap that something is missed, and since when, whatever tries it took', async () => {
    const clock = createFakeClock()
    const { engine, open, refuse } = createStreams()
    const hub = createEventHub({ engine, clock, log: silentLogger })
    const gaps: number[] = []
    hub.subscribe('shop', (event, lostAtMs) => {
      if (event === undefined) gaps.push(lostAtMs)
    })
    await settle()
    const lostAt = clock.monotonic() + 5_000
    await clock.advance(5_000)
    refuse.times = 3
    open[0]!.lose()
    await settle()
    expect(gaps).toEqual([lostAt])
    for (let i = 0; i < 8; i++) {
      await settle()
      await clock.advance(16_000)
    }
    await settle()
    expect(open).toHaveLength(2)
    expect(gaps).toEqual([lostAt, lostAt])
    open[1]!.event('die')
    hub.stop()
  })
})
