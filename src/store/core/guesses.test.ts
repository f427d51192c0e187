import { describe, expect, it } from 'vitest'
import { dayMs, Guesses, hourMs } from './guesses.ts'

const at = (start = 1_800_000_000_000) => {
  let now = start
  return { now: () => now, step: (ms: number) => void (now += ms) }
}
const limit = { most: 10, why: 'you have guessed 10 times' }

describe('guesses', () => {
  it('are refused past the bound, and a guess that was made passes', () => {
    const guesses = new Guesses(at())
    for (let i = 0; i < 10; i += 1) guesses.note('login', `guess ${i}`)
    expect(() => guesses.check('login', limit)).toThrow(limit.why)
    expect(() => guesses.check('login', { ...limit, guess: 'guess 3' })).not.toThrow()
    expect(() => guesses.check('another login', limit)).not.toThrow()
  })

  it('of one kind are not forgotten for those of another', () => {
    const guesses = new Guesses(at())
    for (let i = 0; i < 10; i += 1) guesses.note('judged login', `guess ${i}`)
    for (let i = 0; i < 20_001; i += 1) guesses.note(`classes login key-${i}`, 'guess')
    expect(() => guesses.check('judged login', limit)).toThrow(limit.why)
  })

  it('are spent all or none', () => {
    const guesses = new Guesses(at())
    guesses.spend('login', ['a', 'b', 'c', 'c'], limit)
    const many = Array.from({ length: 8 }, (_, i) => `guess ${i}`)
    expect(() => guesses.spend('login', many, limit)).toThrow('wait until')
    guesses.spend('login', ['a', ...many.slice(1)], limit)
    expect(() => guesses.spend('login', ['one more'], limit)).toThrow('wait until')
  })

  it.each([
    ['hour', hourMs],
    ['day', dayMs],
  ] as const)('count within the %s', (name, withinMs) => {
    const clock = at()
    const guesses = new Guesses(clock)
    const mine = { ...limit, withinMs }
    guesses.spend('login', ['first'], mine)
    clock.step(60_000)
    for (let i = 1; i < 10; i += 1) guesses.spend('login', [`guess ${i}`], mine)
    expect(() => guesses.spend('login', ['more'], mine)).toThrow(`within the last ${name}`)
    clock.step(withinMs - 60_000)
    guesses.spend('login', ['more'], mine)
    expect(() => guesses.spend('login', ['too many'], mine)).toThrow(limit.why)
  })

  it('of one sort do not make those of another one forgotten', () => {
    const guesses = new Guesses(at())
    for (let i = 0; i < 10; i += 1) guesses.note('judged login project', `guess ${i}`)
    for (let i = 0; i < 20_001; i += 1) guesses.note(`classes login project ${i}`, 'x')
    expect(() => guesses.check('judged login project', limit)).toThrow(limit.why)
  })

  it('are divided among the controllers, so that all of them give no more than one', () => {
    const four = [1, 2, 3, 4].map(() => new Guesses(at(), () => 4))
    const given = four.map((guesses) => {
      let n = 0
      try {
        for (; n < 100; n += 1) guesses.spend('login', [String(n)], { ...limit, most: 20 })
      } catch {
        // The bound.
      }
      return n
    })
    expect(given).toEqual([5, 5, 5, 5])
  })
})
