import { expect, it } from 'vitest'
import { createYieldingQueue } from './serial-queue.ts'

it('lets others have a turn before each piece of work, and goes on after one that fails', async () => {
  const inTurn = createYieldingQueue()
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
