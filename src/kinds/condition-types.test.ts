import { expect, it } from 'vitest'
import { conditionTypes } from './condition-types.ts'

it('has one polarity for a type of condition, of whatever kind: who shows one asks by its type', () => {
  const seen = new Map<string, Set<string>>()
  for (const types of Object.values(conditionTypes))
    for (const [type, polarity] of Object.entries(types))
      seen.set(type, (seen.get(type) ?? new Set()).add(polarity))
  expect([...seen].filter(([, polarities]) => polarities.size > 1)).toEqual([])
})
