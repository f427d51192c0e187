import { describe, expect, it } from 'vitest'
import { realClock } from './clock.ts'
import { createWaker } from './waker.ts'

const took = async (rest: Promise<void>): Promise<number> => {
  const from = performance.now()
  await rest
  return performance.now() - from
}

describe('a waker', () => {
  it('rests as long as told', async () => {
    expect(await took(createWaker(realClock, { settleMs: 10 }).rest(50))).toBeGreaterThan(45)
  })

  it('wakes at once, and keeps a wake that came before the rest', async () => {
    const waker = createWaker(realClock, { settleMs: 10_000 })
    waker.begin()
    waker.wake()
    expect(await took(waker.rest(10_000))).toBeLessThan(1000)
    waker.begin()
    const rest = took(waker.rest(10_000))
    waker.wake()
    expect(await rest).toBeLessThan(1000)
  })

  it('lets events settle, however many come, and a wake cut that short', async () => {
    const waker = createWaker(realClock, { settleMs: 80 })
    waker.begin()
    const rest = took(waker.rest(10_000))
    for (let i = 0; i < 5; i++) waker.poke()
    expect(await rest).toBeGreaterThan(70)
    const slow = createWaker(realClock, { settleMs: 10_000 })
    slow.begin()
    slow.poke()
    const cut = took(slow.rest(10_000))
    slow.wake()
    expect(await cut).toBeLessThan(1000)
  })

  it('does not rest, nor let events settle, once its signal has aborted', async () => {
    const ending = new AbortController()
    const waker = createWaker(realClock, { settleMs: 10_000, signal: ending.signal })
    const rest = took(waker.rest(10_000))
    ending.abort()
    expect(await rest).toBeLessThan(1000)
    waker.poke()
    expect(await took(waker.rest(10_000))).toBeLessThan(1000)
  })
})
