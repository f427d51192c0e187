import { expect, it } from 'vitest'
import { createBodyBudget } from './body-budget.ts'

const MiB = 1024 * 1024

it('lets nobody hold more than his part, and all together no more than all', () => {
  const bodies = createBodyBudget()
  bodies.take('a', 20 * MiB)
  expect(() => {
    bodies.take('a', 5 * MiB)
  }).toThrow('your requests hold too many bytes')
  for (const owner of ['b', 'c', 'd']) bodies.take(owner, 24 * MiB)
  expect(() => {
    bodies.take('e', 5 * MiB)
  }).toThrow('all requests together')
  bodies.giveBack('a', 20 * MiB)
  bodies.take('e', 5 * MiB)
  bodies.take('a', 19 * MiB)
})

it('has room for who sends little where a few hold all the rest', () => {
  const bodies = createBodyBudget()
  for (const owner of ['a', 'b', 'c', 'd']) bodies.take(owner, 24 * MiB)
  bodies.take('small', MiB / 8)
  expect(() => {
    bodies.take('small', MiB / 4)
  }).toThrow('all requests together')
  for (let i = 1; i < 128; i++) bodies.take(`small ${i}`, MiB / 8)
  expect(() => {
    bodies.take('late', MiB / 8)
  }).toThrow('all requests together')
})
