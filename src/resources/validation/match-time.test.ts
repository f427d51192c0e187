import { describe, expect, it } from 'vitest'
import { createMatchTime, type Matched } from './match-time.ts'

/** Patterns without end, on a process that computes only in this part of the time. */
const slow = (part: number) => {
  const time = { now: 0, cpu: 0 }
  let tries = 0
  const match = createMatchTime({ now: () => time.now, cpu: () => time.cpu })
  const pass = (ms: number): void => {
    time.now += ms
    time.cpu += ms * part
  }
  const endless = (): Matched =>
    match((ms) => {
      tries += 1
      pass(ms)
      throw new Error('the time is over')
    })
  return { pass, match, endless, tries: () => tries }
}

describe('the time that patterns take', () => {
  it('is a limit for one without end', () => {
    const { endless, tries } = slow(1)
    expect(endless()).toEqual({ limitMs: 250, isShort: false })
    expect(tries()).toBe(1)
  })

  it('is given once more where the machine was busy with others, and then no more', () => {
    const { endless, tries } = slow(0)
    expect(endless()).toEqual({ limitMs: 250, isShort: false })
    expect(tries()).toBe(2)
  })

  it('is no more for many than for a few, while a good one gets what it needs', () => {
    const { pass, match, endless } = slow(1)
    const limits = Array.from({ length: 60 }, endless)
    expect(limits.filter((each) => 'isShort' in each && each.isShort)).toHaveLength(56)
    expect(limits.at(-1)).toEqual({ limitMs: 20, isShort: true })
    const good = (ms: number): boolean => {
      pass(1)
      return ms >= 1
    }
    expect(match(good)).toEqual({ found: true })
  })

  it('comes back with the time', () => {
    const { pass, endless } = slow(1)
    for (let i = 0; i < 60; i += 1) endless()
    pass(20_000)
    expect(endless()).toEqual({ limitMs: 250, isShort: false })
  })
})
