import { expect, it } from 'vitest'
import { isPassing, isPassingText, withoutCode } from './sqlstate.ts'

it.each([
  ['53300', true],
  ['57P01', true],
  ['57P03', true],
  ['57014', true],
  ['25006', true],
  ['40001', true],
  ['40P01', true],
  ['08006', true],
  ['55P03', true],
  ['42501', false],
  ['28P01', false],
  ['25001', false],
])('%s passes: %s', (code, passes) => {
  expect(isPassing(code)).toBe(passes)
})

it.each([
  ['psql:<stdin>:3: ERROR:  25006: cannot execute ALTER ROLE in a read-only transaction', true],
  ['psql:<stdin>:3: ERROR:  42501: permission denied to alter role\nLOCATION:  x, user.c:1', false],
  ['psql: error: connection to server failed: FATAL:  sorry, too many clients already', true],
  ['FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute', true],
  ['psql: error: FATAL:  the database system is starting up', true],
  ['psql: error: FATAL:  password authentication failed for user "app"', false],
])('%s', (text, passes) => {
  expect(isPassingText(text)).toBe(passes)
})

it('is said to people without its code', () => {
  expect(
    withoutCode('psql:<stdin>:3: ERROR:  42501: permission denied\nLOCATION:  aclcheck, acl.c:7\n'),
  ).toBe('psql:<stdin>:3: ERROR:  permission denied')
})
