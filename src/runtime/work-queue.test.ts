import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { WorkQueue } from './work-queue.ts'

const create = (): { queue: WorkQueue; clock: ReturnType<typeof createFakeClock> } => {
  const clock = createFakeClock()
  const backoff = { baseMs: 100, capMs: 1000 }
  return { clock, queue: new WorkQueue({ clock, backoff, random: () => 0.999 }) }
}

describe('WorkQueue', () => {
  it('hands out a key once however often it was added', async () => {
    const { queue } = create()
    queue.add('a')
    queue.add('a')
    queue.add('b')
    expect([await queue.take(), await queue.take()]).toEqual(['a', 'b'])
    expect(queue.depth).toBe(2)
  })

  it('hands out a key again only after done()', async () => {
    const { queue } = create()
    queue.add('a')
    await queue.take()
    queue.add('a')
    let got: string | undefined
    void queue.take().then((key) => (got = key))
    await new Promise((resolve) => setImmediate(resolve))
    expect(got).toBeUndefined()
    queue.done('a')
    await new Promise((resolve) => setImmediate(resolve))
    expect(got).toBe('a')
  })

  it('hands out a key in its time, also where the wall clock was set forward meanwhile', async () => {
    const { queue, clock } = create()
    queue.addAfter('a', 60_000)
    clock.jump(3_600_000)
    queue.addAfter('a', 100)
    let got: string | undefined
    void queue.take().then((key) => (got = key))
    await clock.advance(100)
    expect(got).toBe('a')
  })

  it('raises the delay of a failing key and forgets it on success', async () => {
    const { queue, clock } = create()
    const delays: number[] = []
    for (const wait of [100, 200, 400]) {
      queue.addFailed('a')
      await clock.advance(wait - 10)
      delays.push(queue.depth)
      await clock.advance(10)
      expect(await queue.take()).toBe('a')
      queue.done('a')
    }
    expect(delays).toEqual([0, 0, 0])
    queue.forget('a')
    queue.addFailed('a')
    await clock.advance(100)
    expect(queue.depth).toBe(1)
  })

  it('keeps the earlier of two timers and drops it when the key is added directly', async () => {
    const { queue, clock } = create()
    queue.addAfter('a', 50)
    queue.addAfter('a', 5000)
    queue.add('a')
    expect(await queue.take()).toBe('a')
    queue.done('a')
    await clock.advance(10_000)
    expect(queue.depth).toBe(0)
  })

  it('answers undefined to every taker once closed', async () => {
    const { queue } = create()
    const taker = queue.take()
    queue.close()
    expect(await taker).toBeUndefined()
    expect(await queue.take()).toBeUndefined()
  })

  it('loses no key and never works on one twice at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 }),
        async (adds) => {
          const { queue } = create()
          const working = new Set<string>()
          const seenAfterAdd = new Map<string, boolean>()
          const worker = async (): Promise<void> => {
            for (;;) {
              const key = await queue.take()
              if (key === undefined) return
              expect(working.has(key)).toBe(false)
              working.add(key)
              seenAfterAdd.set(key, true)
              await new Promise((resolve) => setImmediate(resolve))
              working.delete(key)
              queue.done(key)
            }
          }
          const workers = [worker(), worker(), worker()]
          for (const key of adds) {
            seenAfterAdd.set(key, false)
            queue.add(key)
            if (key === 'b') await Promise.resolve()
          }
          while (queue.depth > 0) await new Promise((resolve) => setImmediate(resolve))
          queue.close()
          await Promise.all(workers)
          expect([...seenAfterAdd.values()].every(Boolean)).toBe(true)
        },
      ),
      { numRuns: 50 },
    )
  })
})
