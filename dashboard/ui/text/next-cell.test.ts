import { expect, it } from 'vitest'
import { nextCell } from './next-cell.ts'

const size = { rows: 100, columns: 5, page: 10 }
const from = (row: number, column: number, key: string) => nextCell(key, { row, column }, size)

it('moves by arrows and by letters alike, and stops at the borders', () => {
  expect(from(4, 2, 'ArrowDown')).toEqual({ row: 5, column: 2 })
  expect(from(4, 2, 'j')).toEqual(from(4, 2, 'ArrowDown'))
  expect(from(4, 2, 'k')).toEqual({ row: 3, column: 2 })
  expect(from(4, 2, 'h')).toEqual({ row: 4, column: 1 })
  expect(from(0, 0, 'ArrowUp')).toEqual({ row: 0, column: 0 })
  expect(from(99, 4, 'l')).toEqual({ row: 99, column: 4 })
})

it('goes far by the keys for that', () => {
  expect(from(4, 2, 'PageDown')).toEqual({ row: 14, column: 2 })
  expect(from(4, 2, 'PageUp')).toEqual({ row: 0, column: 2 })
  expect(from(4, 2, 'End')).toEqual({ row: 4, column: 4 })
  expect(from(4, 2, 'Mod+End')).toEqual({ row: 99, column: 4 })
  expect(from(4, 2, 'Mod+Home')).toEqual({ row: 0, column: 0 })
})

it('leaves other keys alone', () => {
  expect(from(4, 2, 'e')).toBeUndefined()
})
