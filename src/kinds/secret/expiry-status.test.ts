import { expect, it } from 'vitest'
import { dueOf } from './expiry-status.ts'
import type { SecretStatus } from './schema.ts'

const [first, later] = ['2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z']
const finding = {
  id: 'f',
  version: 1,
  repository: 'git.example.com/acme/shop',
  path: '.env',
  line: 3,
  foundAt: first,
}

it.each([
  [{ expiresAt: first }, 'expiry'],
  [{ expiresAt: first, expiresFrom: 'Certificate' }, 'certificate'],
  [{ expiresAt: first, expiresFrom: 'Store' }, 'store'],
  [{ rotationDueAt: first, expiresAt: later }, 'age'],
  [{ findings: [finding], rotationDueAt: later }, 'leaked'],
  [{ knownOutside: { people: 1, since: first }, expiresAt: later }, 'revealed'],
  [{ readBy: { at: first, request: 'look' }, expiresAt: later }, 'revealed'],
  [{ plainUntil: first }, 'revealed'],
] as [SecretStatus, string][])('of %j is the first moment, and its cause', (status, why) => {
  expect(dueOf(status)).toEqual({ at: first, why })
})

it('is none where nothing ends, and none for what was found and is closed', () => {
  expect(dueOf({})).toBeUndefined()
  const closed = { ...finding, closedAt: later, closedAs: 'Revoked' as const }
  expect(dueOf({ findings: [closed] })).toBeUndefined()
})
