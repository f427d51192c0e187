import { expect, it } from 'vitest'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import { runningOf } from './data.ts'

it('names the stagelets of the project that run a revision, and not those of which nothing is known', () => {
  const stagelet = (name: string, more: Partial<Stagelet>): Stagelet =>
    ({ name, team: 'red', project: 'shop', ...more }) as Stagelet
  const all = [
    stagelet('prod', { running_revision: 3 }),
    stagelet('demo', { running_revision: 3 }),
    stagelet('away', {}),
    stagelet('late', { running_revision: 2 }),
    stagelet('other', { project: 'crm', running_revision: 3 }),
  ]
  const names = runningOf({ team: 'red', name: 'shop' }, all, 3).map(({ name }) => name)
  expect(names).toEqual(['demo', 'prod'])
})
