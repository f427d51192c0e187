import { expect, it } from 'vitest'
import { createFakeClock } from '../../../test/support/fake-clock.ts'
import { realClock } from '../clock.ts'
import { nextTurn } from './event-loop.ts'
import { createYieldingQueue } from './serial-queue.ts'

it('lets others have a turn before each piece of work, and goes on after one that fails', async () => {
  const inTurn = createYieldingQueue(realClock)
  const order: string[] = []
  const others = (): void => {
    order.push('other')
    if (!order.includes('c')) setImmediate(others)
  }
  setImmediate(others)
  const work = ['a', 'b', 'c'].map((name) =>
    inTurn(() => {
      order.push(name)
      if (name === 'b') throw new Error('b fails')
    }),
  )
  const [, b] = await Promise.allSettled(work)
  expect(b?.status).toBe('rejected')
  expect(order.filter((name) => name !== 'other')).toEqual(['a', 'b', 'c'])
  expect(order.join()).toMatch(/a,other.*b,other.*c/)
})

it('rests as long as the last piece took, so that others get as much time as the queue', async () => {
  const clock = createFakeClock()
  const inTurn = createYieldingQueue(clock)
  await inTurn(() => clock.advance(30))
  let isDone = false
  const next = inTurn(() => (isDone = true))
  await clock.advance(29)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  expect(isDone).toBe(false)
  await clock.advance(1)
  await next
  expect(isDone).toBe(true)
})
