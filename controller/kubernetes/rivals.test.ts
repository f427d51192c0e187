import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { createSteppedClock } from '../../test/support/store-fixtures.ts'
import { createRivals } from './rivals.ts'

describe('a status that somebody else replaces again and again', () => {
  it('is written more and more rarely, and said once; one that changes is written at once', () => {
    const clock = createSteppedClock()
    const errors: string[] = []
    const log = { ...silentLogger, error: (_: object, text: string) => void errors.push(text) }
    const rivals = createRivals({ clock, log })
    const write = (status: object): boolean => {
      if (rivals.delay('Project/a/b', status) !== undefined) return false
      rivals.wrote('Project/a/b', status)
      return true
    }
    let writes = 0
    for (let second = 0; second < 3_600; second += 1, clock.step(1_000))
      if (write({ revision: 1 })) writes += 1
    expect(writes).toBeLessThan(25)
    expect(errors).toEqual([expect.stringContaining('another controller') as string])
    expect(write({ revision: 2 })).toBe(true)
    expect(write({ revision: 2 })).toBe(true)
  })
})
