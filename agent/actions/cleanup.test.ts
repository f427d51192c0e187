import { describe, expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import { cleanUpLeftovers } from './cleanup.ts'
import type { ObservedContainer } from '../observed/container.ts'

interface Named {
  readonly id: string
  readonly name: string
  readonly replaces?: string
}

/** Cleans up on an engine that refuses a name twice; `goes` is being removed by somebody else. */
const cleanUp = async (
  given: readonly Named[],
  goes?: string,
): Promise<{ count: number; names: Record<string, string> }> => {
  const names = new Map(given.map((c) => [c.id, c.name]))
  const conflict = (): never => {
    throw new StagelyError('Conflict', 'the Docker engine answered 409')
  }
  const engine = {
    remove: async (id: string) => {
      if (id === goes) conflict()
      names.delete(id)
      await Promise.resolve()
    },
    rename: async (id: string, name: string) => {
      if ([...names.values()].includes(name)) conflict()
      names.set(id, name)
      await Promise.resolve()
    },
  }
  const count = await cleanUpLeftovers(engine, given as unknown as ObservedContainer[])
  return { count, names: Object.fromEntries(names) }
}

const old = { id: 'old', name: 'p-web-1' }
const next = { id: 'next', name: '0123456789ab_p-web-1', replaces: 'old' }

describe('what an interrupted up leaves', () => {
  it('goes while the original is there, and gets its name where it is not', async () => {
    expect(await cleanUp([old, next])).toEqual({ count: 1, names: { old: 'p-web-1' } })
    expect(await cleanUp([next])).toEqual({ count: 1, names: { next: 'p-web-1' } })
  })

  it('goes where another container has its name by now', async () => {
    const other = { id: 'other', name: 'p-web-1' }
    expect(await cleanUp([other, next])).toEqual({ count: 1, names: { other: 'p-web-1' } })
    const second = { id: 'second', name: 'ba9876543210_p-web-1', replaces: 'gone' }
    expect(await cleanUp([next, second])).toEqual({ count: 2, names: { next: 'p-web-1' } })
  })

  it('may be in removal by somebody else, which is no fault', async () => {
    const names = { old: 'p-web-1', next: next.name }
    expect(await cleanUp([old, next], 'next')).toEqual({ count: 1, names })
  })

  it('does not touch what has no temporary name', async () => {
    const named = { ...next, name: 'p-web-1' }
    expect(await cleanUp([named])).toEqual({ count: 0, names: { next: 'p-web-1' } })
  })
})
