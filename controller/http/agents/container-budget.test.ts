import { expect, it } from 'vitest'
import { createContainerBudget } from './container-budget.ts'

it('gives one agent a burst, then what time brings back, and takes nothing from another', () => {
  let now = 0
  const budget = createContainerBudget({ monotonic: () => now })
  const taken = (agent: string): number[] =>
    Array.from({ length: 12 }, () => budget.take(agent, 24_000))
  expect(taken('a')).toEqual([...Array<number>(10).fill(200), 0, 0])
  now = 10_000
  expect(budget.take('a', 24_000)).toBe(50)
  expect(budget.take('b', 150)).toBe(150)
  now = 10_000_000
  expect(budget.take('a', 1)).toBe(1)
})
