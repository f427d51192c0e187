import { expect, it } from 'vitest'
import type { Secret } from '../../../src/generated/rest-types.ts'
import { dueRows } from './rows.ts'

const secret = (name: string, at?: string): Secret =>
  ({ name, ...(at !== undefined && { due: { at, why: 'age' } }) }) as Secret

it('lists the nearest first, and none that is never due', () => {
  const rows = dueRows([
    secret('never'),
    secret('old', '2026-03-01T00:00:00Z'),
    secret('b', '2026-03-02T00:00:00Z'),
    secret('a', '2026-03-02T00:00:00Z'),
    secret('tls', '2026-02-01T00:00:00Z'),
  ])
  expect(rows.map((row) => row.secret.name)).toEqual(['tls', 'old', 'a', 'b'])
})
