import { expect, it } from 'vitest'
import { createYieldingQueue } from './serial-queue.ts'

it('lets others have a turn before each piece of work, and goes on after one that fails', async () => {
  const inTurn = createYieldingQueue()
  const seen: string[] = []
  const others = (): void => {
    seen.push('other')
    if (!seen.includes('c')) setImmediate(others)
  }
  setImmediate(others)
  const work = ['a', 'b', 'c'].map((name) =>
    inTurn(() => {
      seen.push(name)
      if (name === 'b') throw new Error('b fails')
    }),
  )
  const [, b] = await Promise.allSettled(work)
  expect(b?.status).toBe('rejected')
  expect(seen.filter((name) => name !== 'other')).toEqual(['a', 'b', 'c'])
  expect(seen.join()).toMatch(/a,other.*b,other.*c/)
})
