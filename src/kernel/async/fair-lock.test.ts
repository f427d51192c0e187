import { expect, it } from 'vitest'
import { FairLock } from './fair-lock.ts'

const never = new AbortController().signal

it('gives each owner a turn, whoever has come first with many', async () => {
  const turns = new FairLock()
  const order: string[] = []
  const work = async (owner: string): Promise<void> => {
    const done = await turns.take(owner, never)
    order.push(owner)
    await new Promise((resolve) => setImmediate(resolve))
    done()
  }
  await Promise.all(['a', 'a', 'a', 'a', 'b', 'c'].map(work))
  expect(order).toEqual(['a', 'a', 'b', 'c', 'a', 'a'])
  await work('d')
})

it('forgets who leaves, and refuses who has too many waiting', async () => {
  const turns = new FairLock()
  const done = await turns.take('a', never)
  const leaving = new AbortController()
  const left = turns.take('a', leaving.signal)
  const waiting = Array.from({ length: 7 }, () => turns.take('a', never))
  await expect(turns.take('a', never)).rejects.toMatchObject({ reason: 'TooManyRequests' })
  leaving.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  waiting.push(turns.take('a', never))
  done()
  for (const next of waiting) (await next)()
  ;(await turns.take('b', never))()
})
