import { expect, it } from 'vitest'
import type { Secret } from '../../../src/rest/types.ts'
import { dueRows } from './rows.ts'

const secret = (name: string, dates: Partial<Secret>): Secret => ({ name, ...dates }) as Secret

it('lists the nearest first, by the earliest date of each, and says which one it is', () => {
  const rows = dueRows([
    secret('never', {}),
    secret('old', { rotation_due_at: '2026-03-01T00:00:00Z', expires_at: '2026-04-01T00:00:00Z' }),
    secret('tls', { expires_at: '2026-02-01T00:00:00Z', expires_from: 'Certificate' }),
    secret('kv', { expires_at: '2026-02-02T00:00:00Z', expires_from: 'Store' }),
    secret('read', {
      known_outside: { people: 1, since: '2026-02-15T00:00:00Z' },
      rotation_due_at: '2026-03-01T00:00:00Z',
    }),
    secret('b', { expires_at: '2026-03-02T00:00:00Z', expires_from: 'Spec' }),
    secret('a', { expires_at: '2026-03-02T00:00:00Z', expires_from: 'Spec' }),
  ])
  expect(rows.map(({ secret: { name }, at, why }) => `${name} ${at.slice(0, 10)} ${why}`)).toEqual([
    'tls 2026-02-01 certificate',
    'kv 2026-02-02 store',
    'read 2026-02-15 revealed',
    'old 2026-03-01 age',
    'a 2026-03-02 expiry',
    'b 2026-03-02 expiry',
  ])
})
