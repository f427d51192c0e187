import { expect, it } from 'vitest'
import type { Secret } from '../../../../src/generated/rest-types.ts'
import { parseFilter, type Filterable } from './filter.ts'
import { noRuns } from '../../project/run-count.ts'

const row = (secret: Partial<Secret>, more: Partial<Filterable> = {}): Filterable => ({
  secret: {
    id: 'sec_1',
    name: 'x',
    team: 'default',
    project: 'shop',
    key: 'DB_PASSWORD',
    scope: 'global',
    type: 'env',
    version: 1,
    service_count: 0,
    services: [],
    refers_to: [],
    state: 'no_value',
    warnings: [],
    source: 'api',
    created_at: '',
    updated_at: '',
    conditions: [],
    ...secret,
  },
  id: 'sec_1',
  runs: noRuns,
  isStaged: false,
  ...more,
})
const matches = (filter: string, row: Filterable, shared: readonly string[] = []): boolean =>
  parseFilter(filter).test(row, { isShared: (id) => shared.includes(id) })

it('looks for a plain word in the key, and for patterns by name', () => {
  expect(matches('pass', row({}))).toBe(true)
  expect(matches('key:DB_* scope:web', row({ scope: 'web' }))).toBe(true)
  expect(matches('key:DB', row({}))).toBe(false)
  expect(matches('type:file', row({}))).toBe(false)
  expect(matches('by:ann', row({ updated_by: 'ann' }))).toBe(true)
})

it('takes a word with a minus as what must not be', () => {
  expect(matches('DB -is:global', row({}))).toBe(false)
  expect(matches('DB -is:global', row({ scope: 'web' }))).toBe(true)
})

it('knows what nobody sees, what is staged, and what another secret has as well', () => {
  expect(matches('is:shared', row({}))).toBe(false)
  expect(matches('is:shared', row({}), ['sec_1'])).toBe(true)
  expect(matches('is:unseen state:unseen', row({}))).toBe(true)
  expect(matches('is:staged', row({}, { isStaged: true }))).toBe(true)
})

it('says which words mean nothing, and does not filter by them', () => {
  const { unknown, test } = parseFilter('DB colour:red is:nothing')
  expect(unknown).toEqual(['colour:red', 'is:nothing'])
  expect(test(row({}), { isShared: () => false })).toBe(true)
})

it('takes every character but the star as it is', () => {
  expect(matches('key:A.B', row({ key: 'AxB' }))).toBe(false)
  expect(matches('key:A(*', row({ key: 'A(b' }))).toBe(true)
})

it('finds the secrets of an environment, and plain ones', () => {
  const own = row({ environments: ['preview', 'staging'], visibility: 'Plain' })
  expect(matches('environment:staging', own)).toBe(true)
  expect(matches('environment:production', own)).toBe(false)
  expect(matches('environment:preview', row({}))).toBe(false)
  expect(matches('is:plain', own)).toBe(true)
  expect(matches('-is:plain', row({}))).toBe(true)
})
