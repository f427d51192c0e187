import { expect, it } from 'vitest'
import { markedIndex, nextIndex } from './choose.ts'

it('arrows move the mark and go round, page keys stop at the ends', () => {
  expect([
    nextIndex('ArrowDown', 0, 3),
    nextIndex('ArrowDown', 2, 3),
    nextIndex('ArrowUp', 0, 3),
  ]).toEqual([1, 0, 2])
  expect([
    nextIndex('PageDown', 1, 20),
    nextIndex('PageDown', 15, 20),
    nextIndex('PageUp', 3, 20),
  ]).toEqual([9, 19, 0])
})

it('keys that edit the text are left to the field, and an empty list has no mark to move', () => {
  for (const key of ['Home', 'End', 'ArrowLeft', 'ArrowRight', 'a', 'Enter', 'Escape', 'Tab'])
    expect(nextIndex(key, 1, 3)).toBeUndefined()
  expect(nextIndex('ArrowDown', 0, 0)).toBeUndefined()
})

it('the mark stays on its item while others come and go', () => {
  expect(markedIndex('b', ['a', 'b'])).toBe(1)
  expect(markedIndex('b', ['b', 'c'])).toBe(0)
  expect(markedIndex('gone', ['a', 'b'])).toBe(0)
  expect(markedIndex(undefined, [])).toBe(0)
})
