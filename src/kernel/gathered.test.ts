import { describe, expect, it } from 'vitest'
import { gathered } from './gathered.ts'

describe('gathered', () => {
  it('answers together what is asked at the same time and while an answer is on its way', async () => {
    const batches: number[][] = []
    let release: () => void = () => undefined
    const ask = gathered(3, async (asked: readonly number[]) => {
      batches.push([...asked])
      if (batches.length === 1) await new Promise<void>((resolve) => (release = resolve))
      return asked.map((one) => one * 10)
    })
    const first = [ask(1), ask(2)]
    await new Promise(setImmediate)
    const later = [ask(3), ask(4), ask(5), ask(6)]
    release()
    expect(await Promise.all([...first, ...later])).toEqual([10, 20, 30, 40, 50, 60])
    expect(batches).toEqual([[1, 2], [3, 4, 5], [6]])
  })

  it('fails those of a batch that failed, and no others', async () => {
    const ask = gathered(10, (asked: readonly number[]) =>
      asked.includes(1) ? Promise.reject(new Error('no')) : Promise.resolve(asked),
    )
    await expect(ask(1)).rejects.toThrow('no')
    await expect(ask(2)).resolves.toBe(2)
  })
})
