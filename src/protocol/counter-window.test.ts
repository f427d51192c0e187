import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CounterWindow } from './counter-window.ts'

test('each counter counts once, in whatever order they come', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 400 }), (counters) => {
      const window = new CounterWindow()
      const taken = new Set<number>([0])
      let highest = 0
      for (const counter of counters) {
        const isNew = counter > highest - 1024 && !taken.has(counter)
        expect(window.has(counter)).toBe(!isNew)
        expect(window.take(counter)).toBe(isNew)
        if (isNew) taken.add(counter)
        if (isNew) highest = Math.max(highest, counter)
      }
    }),
  )
})

test('a jump over all that it remembers forgets nothing that could come again', () => {
  const window = new CounterWindow()
  expect(window.take(1)).toBe(true)
  expect(window.take(90_000_000_000_000)).toBe(true)
  expect(window.take(1)).toBe(false)
  expect(window.take(90_000_000_000_000)).toBe(false)
  expect(window.take(89_999_999_999_999)).toBe(true)
  expect(window.take(89_999_999_998_976)).toBe(false)
})
