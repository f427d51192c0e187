import { expect, test } from 'vitest'
import type { SetEntry } from './visible.ts'
import { viewsOf } from './set-views.ts'

const entry = (key: string, scope: string, stagelet?: string): SetEntry => ({
  secretId: `${key}.${scope}`,
  name: `${key}.${scope}`,
  version: 1,
  key,
  scope,
  type: 'env',
  bytes: 1,
  valueDigest: `${key} ${scope}`,
  ...(stagelet !== undefined && { stagelet }),
})

const keysOf = (entries: readonly SetEntry[], service: string, stagelet = 'prod'): string[] =>
  viewsOf(entries)
    .viewOf(stagelet, service)
    .visible.map(({ secretId }) => secretId)

test('a service sees its own secrets and the global ones, whatever others are called', () => {
  const entries = [entry('A', 'global'), entry('B', 'web'), entry('C', 'db', 'prod')]
  expect(keysOf(entries, 'web')).toEqual(['A.global', 'B.web'])
  expect(keysOf(entries, 'db')).toEqual(['A.global', 'C.db'])
  expect(keysOf(entries, 'db', 'other')).toEqual(['A.global'])
  expect(keysOf(entries, 'invented')).toEqual(['A.global'])
})

test('services that no secret is for share one view, however many an agent invents', () => {
  const entries = [entry('A', 'global'), entry('B', 'web')]
  const shared = viewsOf(entries).viewOf('prod', 'one')
  for (let i = 0; i < 100; i += 1) expect(viewsOf(entries).viewOf('prod', `x${i}`)).toBe(shared)
  expect(viewsOf(entries).viewOf('prod', 'web')).not.toBe(shared)
})
