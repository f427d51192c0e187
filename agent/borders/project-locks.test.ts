import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { lonelyLocks } from '../../test/support/agents/project-locks.ts'
import { holdName } from '../identity/machine-name.ts'
import { createProjectLocks } from './project-locks.ts'

describe('createProjectLocks', () => {
  it('runs what belongs to one project one after another, failures too', async () => {
    const locks = lonelyLocks()
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

  it('gives a project to one owner until it lets go', async () => {
    const locks = lonelyLocks()
    expect(await locks.claim('shop', 'a')).toBe('mine')
    expect(await locks.claim('shop', 'a')).toBe('mine')
    expect(await locks.claim('shop', 'b')).toBe('of another stagelet')
    locks.release('a')
    expect(await locks.claim('shop', 'b')).toBe('mine')
  })

  it('takes the old project back when the owner moves to another', async () => {
    const locks = lonelyLocks()
    await locks.claim('shop', 'a')
    await locks.claim('store', 'a')
    expect(await locks.claim('shop', 'b')).toBe('mine')
  })

  it('gives a project to one agent of the machine until it lets go', async () => {
    const name = randomUUID()
    const anAgent = () => createProjectLocks((project) => holdName('test', name + project))
    const [agent, other] = [anAgent(), anAgent()]
    expect(await agent.claim('shop', 'a')).toBe('mine')
    expect(await other.claim('shop', 'b')).toBe('of another agent')
    expect(await other.claim('store', 'b')).toBe('mine')
    expect(await agent.claim('store', 'c')).toBe('of another agent')
    agent.release('a')
    expect(await other.claim('shop', 'b')).toBe('mine')
    other.release('b')
  })

  it('holds nothing for an owner that left while it was asking', async () => {
    const name = randomUUID()
    const locks = createProjectLocks(() => holdName('test', name))
    const asking = locks.claim('shop', 'a')
    locks.release('a')
    await asking
    const release = await holdName('test', name)
    expect(release).toBeDefined()
    await release?.()
  })
})
