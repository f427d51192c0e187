import { expect, it } from 'vitest'
import { append } from './append.ts'

it('adds more items than a function takes arguments', () => {
  const list = [-1]
  append(
    list,
    Array.from({ length: 300_000 }, (_, i) => i),
  )
  expect([list.length, list.at(-1)]).toEqual([300_001, 299_999])
})
