import { expect, it } from 'vitest'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { ContainerActivity } from '../../src/store/core/activity-entry.ts'
import { setTampered } from '../../src/store/core/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { holdersOf } from './holders.ts'

const createdAt = '2026-01-01T00:00:00.000000Z'
const container: ContainerActivity = {
  kind: 'container',
  id: 1,
  at: Date.parse(createdAt),
  namespace: 'default',
  project: 'shop',
  stagelet: 'prod',
  subject: 'uid-prod',
  mark: 'web abc',
  detail: { service: 'web', digest: 'd' },
}

/** What is told of one container while no set can be read, and why not. */
const holdersWhere = (error: Error) => {
  const store = { get: () => undefined, readSet: () => Promise.reject(error) } as unknown as Store
  const wanted = { fromRevision: 3, createdAt }
  const facts = { rollouts: [], containers: [container], stagelets: [], wanted }
  return holdersOf(store, 'uid-shop', () => true, facts)
}

it.each(['NotFound', 'Expired'] as const)(
  'may have held it where the set is not kept: %s',
  async (reason) => {
    expect(await holdersWhere(new StagelyError(reason, 'not kept'))).toMatchObject([
      { container: 'abc', certain: false },
    ])
  },
)

it.each([
  ['a database that is away', new StagelyError('ServiceUnavailable', 'the database is away')],
  ['a set that somebody changed', setTampered('uid-shop')],
  ['a fault of the program', new TypeError('x is not a function')],
])('are not told by a set that is not known to be gone: %s', async (_, error) => {
  await expect(holdersWhere(error)).rejects.toBe(error)
})
