import { describe, expect, it } from 'vitest'
import { DeferredWork } from './deferred-work.ts'

describe('deferred work of a write', () => {
  it('ends the run that needs its result, and gives the result to the next run', async () => {
    const deferred = new DeferredWork()
    let made = 0
    const attempt = (): number => deferred.result('a', () => Promise.resolve(++made))
    expect(attempt).toThrow()
    expect(deferred.isWanted).toBe(true)
    await deferred.run()
    expect(deferred.isWanted).toBe(false)
    expect([attempt(), attempt(), made]).toEqual([1, 1, 1])
  })

  it('fails as its function does, and is then wanted no more', async () => {
    const deferred = new DeferredWork()
    const refuse = (): never =>
      deferred.result<never>('a', () => Promise.reject(new Error('it is down')))
    expect(refuse).toThrow()
    await expect(deferred.run()).rejects.toThrow('it is down')
    expect(deferred.isWanted).toBe(false)
  })

  it('is not needed for an answer that comes at once, good or bad', async () => {
    const deferred = new DeferredWork()
    expect(await deferred.answer('a', () => Promise.resolve(1))).toBe(1)
    expect(await deferred.answer('a', () => 2)).toBe(2)
    await expect(deferred.answer('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(deferred.isWanted).toBe(false)
  })

  it('keeps an answer that takes its time, and asks for it once', async () => {
    const deferred = new DeferredWork()
    let asked = 0
    const attempt = (): Promise<number> =>
      deferred.answer('a', async () => {
        asked += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        return 7
      })
    await expect(attempt()).rejects.toThrow()
    expect(deferred.isWanted).toBe(true)
    await deferred.run()
    expect([await attempt(), asked]).toEqual([7, 1])
  })

  it('waits for the answer of a service while it runs', async () => {
    const deferred = new DeferredWork()
    const slow = (): Promise<string> => new Promise((resolve) => setTimeout(resolve, 5, 'key'))
    const attempt = (): string =>
      deferred.result('set', async () => `opened by ${await deferred.answer('key', slow)}`)
    expect(attempt).toThrow()
    await deferred.run()
    expect(attempt()).toBe('opened by key')
  })

  it('runs the write again in a transaction where the write needs one', async () => {
    const deferred = new DeferredWork()
    expect(() => deferred.needTransaction()).toThrow()
    expect([deferred.isWanted, deferred.isLocked]).toEqual([true, false])
    await deferred.run()
    expect([deferred.isWanted, deferred.isLocked]).toEqual([false, true])
  })
})
