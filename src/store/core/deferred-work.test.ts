import { describe, expect, it } from 'vitest'
import { Preparations } from './deferred-work.ts'

describe('preparations of a write', () => {
  it('end the attempt that needs what is not made, and give the next one what was', async () => {
    const preparations = new Preparations()
    let made = 0
    const attempt = (): number => preparations.take('a', () => Promise.resolve(++made))
    expect(attempt).toThrow()
    expect(preparations.isMissing).toBe(true)
    await preparations.make()
    expect(preparations.isMissing).toBe(false)
    expect([attempt(), attempt(), made]).toEqual([1, 1, 1])
  })

  it('fail as their maker does, and are then wanted no more', async () => {
    const preparations = new Preparations()
    const refuse = (): never =>
      preparations.take<never>('a', () => Promise.reject(new Error('it is down')))
    expect(refuse).toThrow()
    await expect(preparations.make()).rejects.toThrow('it is down')
    expect(preparations.isMissing).toBe(false)
  })

  it('are not needed for an answer that is here at once, good or bad', async () => {
    const preparations = new Preparations()
    expect(await preparations.soon('a', () => Promise.resolve(1))).toBe(1)
    expect(await preparations.soon('a', () => 2)).toBe(2)
    await expect(preparations.soon('a', () => Promise.reject(new Error('no')))).rejects.toThrow(
      'no',
    )
    expect(preparations.isMissing).toBe(false)
  })

  it('hold an answer that takes its time, and ask for it once', async () => {
    const preparations = new Preparations()
    let asked = 0
    const attempt = (): Promise<number> =>
      preparations.soon('a', async () => {
        asked += 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        return 7
      })
    await expect(attempt()).rejects.toThrow()
    expect(preparations.isMissing).toBe(true)
    await preparations.make()
    expect([await attempt(), asked]).toEqual([7, 1])
  })

  it('wait for what a service is asked while they are made', async () => {
    const preparations = new Preparations()
    const slow = (): Promise<string> => new Promise((resolve) => setTimeout(resolve, 5, 'key'))
    const attempt = (): string =>
      preparations.take('set', async () => `opened by ${await preparations.soon('key', slow)}`)
    expect(attempt).toThrow()
    await preparations.make()
    expect(attempt()).toBe('opened by key')
  })
})
