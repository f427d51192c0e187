import { describe, expect, it } from 'vitest'
import { Preparations } from './preparations.ts'

describe('preparations of a write', () => {
  it('end the attempt that needs what is not made, and give the next one what was', async () => {
    const preparations = new Preparations()
    let made = 0
    const attempt = (): number => preparations.take('a', () => Promise.resolve(++made))
    expect(attempt).toThrow()
    expect(preparations.wanting).toBe(true)
    await preparations.make()
    expect(preparations.wanting).toBe(false)
    expect([attempt(), attempt(), made]).toEqual([1, 1, 1])
  })

  it('fail as their maker does, and are then wanted no more', async () => {
    const preparations = new Preparations()
    const refuse = (): never =>
      preparations.take<never>('a', () => Promise.reject(new Error('it is down')))
    expect(refuse).toThrow()
    await expect(preparations.make()).rejects.toThrow('it is down')
    expect(preparations.wanting).toBe(false)
  })
})
