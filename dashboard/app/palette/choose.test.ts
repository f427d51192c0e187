import { expect, it } from 'vitest'
import { kept, moved } from './choose.ts'

it('arrows move the mark and go round, page keys stop at the ends', () => {
  expect([moved('ArrowDown', 0, 3), moved('ArrowDown', 2, 3), moved('ArrowUp', 0, 3)]).toEqual([
    1, 0, 2,
  ])
  expect([moved('PageDown', 1, 20), moved('PageDown', 15, 20), moved('PageUp', 3, 20)]).toEqual([
    9, 19, 0,
  ])
})

it('keys that edit the text are left to the field, and an empty list has no mark to move', () => {
  for (const key of ['Home', 'End', 'ArrowLeft', 'ArrowRight', 'a', 'Enter', 'Escape', 'Tab'])
    expect(moved(key, 1, 3)).toBeUndefined()
  expect(moved('ArrowDown', 0, 0)).toBeUndefined()
})

it('the mark stays on its item while others come and go', () => {
  expect(kept('b', ['a', 'b'])).toBe(1)
  expect(kept('b', ['b', 'c'])).toBe(0)
  expect(kept('gone', ['a', 'b'])).toBe(0)
  expect(kept(undefined, [])).toBe(0)
})
