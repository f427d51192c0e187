import { describe, expect, it } from 'vitest'
import { createProjectLocks } from './project-locks.ts'

describe('createProjectLocks', () => {
  it('runs what belongs to one project one after another, failures too', async () => {
    const locks = createProjectLocks()
    const order: string[] = []
    const slow = locks.run('shop', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      order.push('first')
      throw new Error('boom')
    })
    const next = locks.run('shop', () => Promise.resolve(order.push('second')))
    await expect(slow).rejects.toThrow('boom')
    await next
    expect(order).toEqual(['first', 'second'])
  })

  it('gives a project to one owner until it lets go', () => {
    const locks = createProjectLocks()
    expect(locks.claim('shop', 'a')).toBe(true)
    expect(locks.claim('shop', 'a')).toBe(true)
    expect(locks.claim('shop', 'b')).toBe(false)
    locks.release('a')
    expect(locks.claim('shop', 'b')).toBe(true)
  })

  it('takes the old project back when the owner moves to another', () => {
    const locks = createProjectLocks()
    locks.claim('shop', 'a')
    locks.claim('store', 'a')
    expect(locks.claim('shop', 'b')).toBe(true)
  })
})
