import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/kernel/clock.ts'
import { createHands } from './hands.ts'

const start = Date.parse('2026-01-31T10:00:00Z')

describe('what persons do through the agent', () => {
  it('is put down to who touched the service, for a moment', () => {
    let now = start
    const hands = createHands({ now: () => now } as Clock)
    const work = hands.begin({ command: 'stop web', user: 'ann' })
    expect([hands.isBusy(), hands.last()]).toEqual([true, undefined])
    now += 2_000
    work.end({ exitCode: 0, touched: ['web'] })
    expect(hands.isBusy()).toBe(false)
    expect(hands.last()).toEqual({
      command: 'stop web',
      user: 'ann',
      at: '2026-01-31T10:00:00Z',
      exitCode: 0,
      touched: ['web'],
    })
    expect(hands.by('web')).toBe('ann (as told) with "stagely compose stop web"')
    expect(hands.by('db')).toBeUndefined()
    now += 15_000
    expect(hands.by('web')).toBeUndefined()
    // The clock was set back: nobody knows how long ago it was.
    now -= 3_600_000
    expect(hands.by('web')).toBeUndefined()
  })
})
