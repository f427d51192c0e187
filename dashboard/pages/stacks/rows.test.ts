import { expect, it } from 'vitest'
import type { Stagelet } from '../../../src/generated/rest-types.ts'
import { shownRows, stackRevision, stackRow } from './rows.ts'

const stack = (name: string, more: Partial<Stagelet> = {}): Stagelet => ({
  id: `stg_${name}`,
  name,
  team: 'default',
  project: 'shop',
  agent: 'web-1',
  compose: { directory: '/srv' },
  deletion_policy: 'Retain',
  paused: false,
  directory: '/srv',
  quarantine: [],
  services: [],
  source: 'api',
  created_at: '',
  conditions: [{ type: 'SecretsInSync', status: 'True', reason: 'InSync', message: '', since: '' }],
  ...more,
})
const service = { name: 'web', state: 'running', in_sync: true }
const failed = stack('prod', {
  services: [service, { name: 'api', state: 'exited', containers: 2 }],
  conditions: [
    { type: 'Degraded', status: 'True', reason: 'ServiceUnhealthy', message: 'x', since: '' },
  ],
})
const rows = [stack('dev'), failed, stack('blog', { project: 'blog' })].map((row) => stackRow(row))
const names = (filter: string): string[] => shownRows(rows, filter).map((row) => row.stack.name)

it('has what needs a person first, then projects by name', () => {
  expect(names('')).toEqual(['prod', 'blog', 'dev'])
})

it('shows the stacks in which each word stands: in a place, a service or a state', () => {
  expect(names('api exited')).toEqual(['prod'])
  expect(names('SHOP in sync')).toEqual(['prod', 'dev'])
  expect(names('nowhere')).toEqual([])
})

it('finds stacks by their environment', () => {
  const there = [stackRow(stack('pr-42', { environment: 'preview' })), ...rows]
  expect(shownRows(there, 'preview').map((row) => row.stack.name)).toEqual(['pr-42'])
})

it('says which revision was measured, and which one the project declares', () => {
  const revision = (more: Partial<Stagelet>, declared?: number): string =>
    stackRevision(stackRow(stack('a', more), declared))
  expect(revision({ running_revision: 3, wanted_revision: 4 })).toBe('r3 of r4')
  expect(revision({ running_revision: 4, wanted_revision: 4 })).toBe('r4')
  expect(revision({ running_revision: 4, wanted_revision: 4 }, 5)).toBe('r4 of r5')
  expect(revision({ wanted_revision: 1 })).toBe('r1 is declared')
})
