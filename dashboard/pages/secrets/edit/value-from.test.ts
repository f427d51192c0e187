import { expect, it } from 'vitest'
import { changedElsewhere, comesFrom, noWayBack } from './value-from.ts'

it('says where a value comes from', () => {
  expect(comesFrom({ version: 1 })).toBe('given by a person')
  expect(comesFrom({ version: 1, references: true })).toMatch(/with references/)
  expect(comesFrom({ version: 0 })).toMatch(/nobody/)
  expect(
    comesFrom({
      version: 2,
      value_from: { generate: { length: 48, charset: 'hex' } },
      renewals: 2,
    }),
  ).toBe('made by the controller: 48 characters, hex; renewed 2 times at its end')
  expect(comesFrom({ version: 1, value_from: { generate: { keypair: 'ed25519' } } })).toMatch(
    /ed25519 key pair/,
  )
  expect(comesFrom({ version: 1, value_from: { secretRef: { name: 'a.b' } } })).toMatch(
    /follows the secret a\.b/,
  )
  expect(
    comesFrom({ version: 1, value_from: { kubernetesSecret: { name: 'db', key: 'pw' } } }),
  ).toMatch(/the key pw of the Secret db/)
  expect(
    comesFrom({ version: 1, value_from: { rotation: { name: 'db', output: 'password' } } }),
  ).toBe('made by the rotation db: password')
  const external = { store: 'aws', key: 'prod/db', property: '/password' }
  expect(comesFrom({ version: 1, value_from: { external }, external: { version: 'v7' } })).toBe(
    'prod/db, /password of the store aws, its version v7',
  )
})

it('says where a value is changed that nobody can give here', () => {
  const of = (value_from?: Parameters<typeof changedElsewhere>[0]['value_from']) =>
    changedElsewhere({ team: 'default', project: 'shop', ...(value_from && { value_from }) })
  expect(of()).toBeUndefined()
  expect(of({ rotation: { name: 'db', output: 'password' } })).toEqual({
    says: 'The rotation db gives this value: run that for a new one.',
    page: ['/ui/t/default/p/shop/rotations', 'Rotations'],
  })
  expect(of({ external: { store: 'aws', key: 'prod/db' } })).toEqual({
    says: 'The store aws gives this value: change prod/db there.',
    page: ['/ui/stores', 'Stores'],
  })
  expect(of({ secretRef: { name: 'a.b' } })?.page).toEqual([
    '/ui/t/default/p/shop?secret=a.b',
    'a.b',
  ])
  expect(of({ kubernetesSecret: { name: 'db', key: 'pw' } })?.says).toMatch(/the Secret db there/)
  expect(of({ generate: {} })).toEqual({
    says: 'The controller makes this value: nobody gives one.',
  })
})

it('says why a value does not come back, only where another place would give its own again', () => {
  const of = (value_from?: Parameters<typeof noWayBack>[0]['value_from']) =>
    noWayBack({ team: 'default', project: 'shop', ...(value_from && { value_from }) })
  expect(of()).toBeUndefined()
  expect(of({ generate: {} })).toBeUndefined()
  expect(of({ rotation: { name: 'db', output: 'password' } })).toBeUndefined()
  expect(of({ external: { store: 'aws', key: 'prod/db' } })).toMatch(/change prod\/db there/)
  expect(of({ secretRef: { name: 'a.b' } })).toMatch(/change that one/)
  expect(of({ kubernetesSecret: { name: 'db', key: 'pw' } })).toMatch(/Secret db there/)
})
