import { expect, it } from 'vitest'
import { countedRows } from '../../test/support/databases/counted-rows.ts'
import type { WriteSession } from './core/write-session.ts'
import { Transaction } from './transaction.ts'

it('lists many objects within a write so that others may have their turn after each', async () => {
  const agents = countedRows('Agent', 1_000)
  const pausedAt: number[] = []
  const session = {
    actor: { name: 'ann', source: 'api', authority: 'whole' },
    rv: 1,
    view: { objects: { withTerm: () => agents.rows } },
    pause: () => Promise.resolve(pausedAt.push(agents.parsed)),
  } as unknown as WriteSession
  const { items } = await new Transaction(session).list('Agent')
  expect(items).toHaveLength(1_000)
  expect(pausedAt).toEqual(Array.from({ length: 1_001 }, (_, parsed) => parsed))
})
