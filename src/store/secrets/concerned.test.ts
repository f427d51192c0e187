import { expect, it } from 'vitest'
import { keysNeeded, keysReached, linksOf } from './concerned.ts'

const links = linksOf([
  { key: 'URL', references: ['db/PASSWORD', 'USER'] },
  { key: 'JOB_URL', references: ['api/URL'] },
  { key: 'OTHER_URL', references: ['OTHER_PASSWORD'] },
  { key: 'LOOP_A', references: ['LOOP_B'] },
  { key: 'LOOP_B', references: ['LOOP_A'] },
])

it('follows references up from what changes, and down to what fills it, and nothing beside', () => {
  const reached = keysReached(['PASSWORD'], links)
  expect([...reached]).toEqual(['PASSWORD', 'URL', 'JOB_URL'])
  expect([...keysNeeded(reached, links)]).toEqual(['PASSWORD', 'URL', 'JOB_URL', 'USER'])
  expect([...keysReached(['OTHER_URL'], links)]).toEqual(['OTHER_URL'])
  expect([...keysNeeded(['PLAIN'], links)]).toEqual(['PLAIN'])
})

it('ends where references lead in a circle', () => {
  expect([...keysReached(['LOOP_A'], links)]).toEqual(['LOOP_A', 'LOOP_B'])
  expect([...keysNeeded(['LOOP_A'], links)]).toEqual(['LOOP_A', 'LOOP_B'])
})

it('looks at a part of a large project for one change', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({
    key: `URL_${i}`,
    references: [`PASSWORD_${i}`],
  }))
  const all = linksOf(many)
  expect(keysNeeded(keysReached(['PASSWORD_7'], all), all).size).toBe(2)
})
