import { expect, it } from 'vitest'
import type { Condition, Service, Stagelet } from '../../src/generated/rest-types.ts'
import { countsOf, serviceState, stageletState } from './states.ts'

const condition = (type: string, status: Condition['status'], reason = 'R'): Condition => ({
  type,
  status,
  reason,
  message: `${type} because of ${reason}`,
  since: '2026-03-02T14:02:00Z',
})

const stagelet = (conditions: readonly Condition[], more: Partial<Stagelet> = {}): Stagelet => ({
  id: 'stg_1',
  name: 'prod-eu',
  team: 'default',
  project: 'shop',
  agent: 'web-3',
  compose: { directory: '/srv/shop', on_change: 'Hold' },
  deletion_policy: 'Retain',
  directory: '/srv/shop',
  paused: false,
  quarantine: [],
  services: [],
  source: 'api',
  created_at: '2026-03-02T14:02:00Z',
  conditions: [...conditions],
  ...more,
})

const wordOf = (conditions: readonly Condition[], more: Partial<Stagelet> = {}): string =>
  stageletState(stagelet(conditions, more)).word

const inSync = condition('SecretsInSync', 'True', 'InSync')

it('says the worst that is so', () => {
  expect(wordOf([inSync])).toBe('In sync')
  expect(wordOf([inSync, condition('ComposeFileChanged', 'True')])).toBe('Edits held')
  expect(wordOf([inSync, condition('Drifted', 'True')])).toBe('Drift')
  const degraded = condition('Degraded', 'True', 'RolledBack')
  expect(wordOf([inSync, condition('Drifted', 'True'), degraded])).toBe('Rolled back')
  expect(wordOf([condition('Degraded', 'True', 'RolloutFailed')])).toBe('Failed')
})

it('tells why a container is missing, in place of that it is', () => {
  const drifted = condition('Drifted', 'True', 'ContainersDiffer')
  const missing = condition('Degraded', 'True', 'ServiceUnhealthy')
  const behind = condition('SecretsInSync', 'False', 'ContainersDiffer')
  const drift = { word: 'Drift', why: drifted.message }
  expect(stageletState(stagelet([behind, missing, drifted]))).toMatchObject(drift)
  expect(wordOf([behind, missing])).toBe('Failed')
})

it('says that a stagelet is being deleted, since when, and for whom it waits', () => {
  const away = condition('SecretsInSync', 'Unknown', 'AgentAway')
  const since = '2026-03-02T15:00:00Z'
  expect(stageletState(stagelet([away], { deleting_since: since }))).toMatchObject({
    word: 'Deleting',
    since,
    why: 'It is being deleted, and waits for agent web-3, which is not connected.',
  })
})

it('says that what nobody sees is not known', () => {
  const away = condition('SecretsInSync', 'Unknown', 'AgentAway')
  expect(stageletState(stagelet([away]))).toMatchObject({ kind: 'unknown', word: 'Offline' })
  expect(wordOf([condition('SecretsInSync', 'Unknown', 'NoReport')])).toBe('Unknown')
  const blind = condition('SecretsInSync', 'Unknown', 'EngineUnavailable')
  const engine = condition('Degraded', 'True', 'EngineUnavailable')
  expect(stageletState(stagelet([engine, blind]))).toMatchObject({ word: 'Unknown', weight: 60 })
  expect(wordOf([])).toBe('Unknown')
})

it('tells rolling from waiting, and why it waits', () => {
  const late = condition('SecretsInSync', 'False', 'NewRevision')
  expect(wordOf([late, condition('Progressing', 'True', 'Applying')])).toBe('Rolling')
  const held = condition('Progressing', 'False', 'WaitingForSecrets')
  expect(stageletState(stagelet([late, held]))).toMatchObject({
    word: 'Waiting',
    why: held.message,
  })
  const settled = condition('Progressing', 'False', 'Settled')
  expect(stageletState(stagelet([late, settled])).why).toBe(late.message)
  expect(wordOf([inSync], { paused: true })).toBe('Paused')
})

it('counts by state, the worst first', () => {
  const failed = stagelet([condition('Degraded', 'True', 'RolloutFailed')])
  expect(countsOf([stagelet([inSync]), failed, stagelet([inSync])])).toMatchObject([
    { word: 'Failed', count: 1 },
    { word: 'In sync', count: 2 },
  ])
})

it('finds no fault in a service that is scaled to zero', () => {
  const service = { name: 'web', state: 'scaledToZero' } as Service
  expect(serviceState(service, 2)).toMatchObject({ kind: 'ok', word: 'Scaled to zero', weight: 0 })
})
