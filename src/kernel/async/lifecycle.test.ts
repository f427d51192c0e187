import { describe, expect, it } from 'vitest'
import { createLifecycle } from './lifecycle.ts'
import { silentLogger } from '../log.ts'

describe('createLifecycle', () => {
  it('stops in reverse order, once, whatever fails or hangs', async () => {
    const lifecycle = createLifecycle(silentLogger)
    const done: string[] = []
    lifecycle.onStop('database', 1000, () => {
      done.push('database')
    })
    lifecycle.onStop('hangs', 20, () => new Promise<never>(() => undefined))
    lifecycle.onStop('fails', 1000, () => {
      done.push('fails')
      throw new Error('no')
    })
    lifecycle.onStop('streams', 1000, async () => {
      await Promise.resolve()
      done.push(`streams ${lifecycle.stopping.aborted}`)
    })
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    expect(done).toEqual(['streams true', 'fails', 'database'])
  })
})
