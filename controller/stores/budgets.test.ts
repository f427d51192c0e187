import { expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createBudgets } from './budgets.ts'

it('all who call a store share its budget, and nothing is kept a minute after the last', async () => {
  const clock = createFakeClock()
  const budgets = createBudgets(clock)
  const { signal } = new AbortController()
  const looks = budgets.take('one')
  const listing = budgets.take('one')
  expect(listing.budget).toBe(looks.budget)
  await listing.budget.spend(signal)
  expect(looks.budget.used).toBe(1)
  listing.release()
  looks.release()
  // Who comes within the minute has the calls that are left.
  await clock.advance(30_000)
  const again = budgets.take('one')
  expect(again.budget).toBe(looks.budget)
  await clock.advance(60_000)
  expect(budgets.size).toBe(1)
  again.release()
  await clock.advance(60_000)
  expect(budgets.size).toBe(0)
})
