import { DatabaseError } from 'pg'
import { expect, it } from 'vitest'
import { postgresFaultOf } from './postgres-session.ts'

it.each([
  ['53300', 'Unreachable'],
  ['57P01', 'Unreachable'],
  ['25006', 'Unreachable'],
  ['42501', 'Failed'],
])('a Postgres over the network that says %s is %s', (code, kind) => {
  const error = Object.assign(new DatabaseError('not now', 7, 'error'), { code })
  expect(postgresFaultOf({ host: 'db', port: 5432 }, error)).toMatchObject({
    kind,
    message: 'db:5432 says: not now',
  })
})
