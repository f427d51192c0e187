import { describe, expect, it } from 'vitest'
import { StagelyError } from '../errors.ts'
import { batched } from './batched.ts'

describe('gathered', () => {
  it('answers together what is asked at the same time and while an answer is on its way', async () => {
    const batches: number[][] = []
    let release: () => void = () => undefined
    const ask = batched(3, async (asked: readonly number[]) => {
      batches.push([...asked])
      if (batches.length === 1) await new Promise<void>((resolve) => (release = resolve))
      return asked.map((request) => request * 10)
    })
    const first = [ask(1), ask(2)]
    await new Promise(setImmediate)
    const later = [ask(3), ask(4), ask(5), ask(6)]
    release()
    expect(await Promise.all([...first, ...later])).toEqual([10, 20, 30, 40, 50, 60])
    expect(batches).toEqual([[1, 2], [3, 4, 5], [6]])
  })

  it('fails those alone that fail alone', async () => {
    const ask = batched(10, (asked: readonly number[]) =>
      asked.includes(1) ? Promise.reject(new Error('no')) : Promise.resolve(asked),
    )
    const outcomes = await Promise.allSettled([ask(0), ask(1), ask(2)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('lets other work have turns between answers, and tells when no question is left', async () => {
    let idle = 0
    const options = { inTurns: 2, onIdle: () => void (idle += 1) }
    const ask = batched(10, (asked: readonly number[]) => Promise.resolve(asked), options)
    let turns = 0
    const count = (): void => {
      turns += 1
      if (idle === 0) setImmediate(count)
    }
    count()
    const answers = [0, 1, 2, 3].map((request) => ask(request).then(() => turns))
    const [first, second, third, fourth] = await Promise.all(answers)
    expect([second, fourth]).toEqual([first, third])
    expect(third).toBeGreaterThan(first!)
    await expect.poll(() => idle).toBe(1)
  })

  it('asks a service that is away once for all of a batch', async () => {
    let times = 0
    const ask = batched(10, (): Promise<number[]> => {
      times += 1
      return Promise.reject(new StagelyError('ServiceUnavailable', 'it is away'))
    })
    const outcomes = await Promise.allSettled([ask(0), ask(1), ask(2)])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(times).toBe(1)
  })
})
