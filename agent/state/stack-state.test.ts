import { expect, it } from 'vitest'
import { aContainer } from '../../test/support/agents/a-container.ts'
import { createStackState, healthyServices, takeTarget } from './stack-state.ts'
import { createStackTarget } from './stack-target.ts'
import { toObservation } from '../stack/stack-report.ts'

it('well are those that run, or are done, and neither crash nor have an edit pending', () => {
  const nowMs = Date.parse('2026-01-01T12:00:00Z')
  const given = { desired: { compose: {} } as never, entries: [], base: {} }
  const containers = [
    aContainer('done', 'd', { state: 'exited' }),
    aContainer('edited', 'd'),
    aContainer('failed', 'd', { state: 'exited', exitCode: 1 }),
    aContainer('ill', 'd', { health: 'unhealthy' }),
    aContainer('loops', 'd', { restartCount: 4, finishedAt: '2026-01-01T11:59:30Z' }),
    aContainer('recovered', 'd', { restartCount: 4, finishedAt: '2026-01-01T11:50:00Z' }),
    aContainer('restarted', 'd', { finishedAt: '2026-01-01T11:59:30Z' }),
    aContainer('steady', 'd', { finishedAt: '0001-01-01T00:00:00Z' }),
    aContainer('still', 'd', { state: 'paused' }),
  ]
  const state = createStackState(createStackTarget(given, undefined, false))
  const now = { ...state, containers, pendingEdits: ['edited'] }
  expect(healthyServices(now, nowMs)).toEqual(['done', 'recovered', 'restarted', 'steady'])
})

it('says to nobody where the file secrets lie', () => {
  const given = {
    desired: { compose: {} } as never,
    entries: [],
    base: {},
    hidden: '/run/stagely/a.b',
  }
  const { mask } = createStackTarget(given, undefined, false)
  expect(
    mask('error mounting "/run/stagely/a.b/uid/sd1-x_y": no such file; /run/stagely/aXb/uid'),
  ).toBe('error mounting "(a file secret)": no such file; /run/stagely/aXb/uid')
})

it('reports of no service what was seen before the engine went away', () => {
  const given = { desired: { compose: {} } as never, entries: [], base: {} }
  const fresh = createStackState(createStackTarget(given, undefined, false))
  const state = { ...fresh, containers: [aContainer('web', 'd')] }
  expect(toObservation(state).services).toMatchObject([{ name: 'web', state: 'running' }])
  const fault = { reason: 'EngineUnavailable', message: 'no engine' }
  expect(toObservation({ ...state, fault }).services).toEqual([])
})

it('reports of a service that somebody stopped that it has exited, not that its work is done', () => {
  const given = { desired: { compose: {} } as never, entries: [], base: {} }
  const container = aContainer('web', 'd', { state: 'exited', exitCode: 0 })
  const fresh = createStackState(createStackTarget(given, undefined, false))
  const state = { ...fresh, containers: [container] }
  expect(toObservation(state).services).toMatchObject([{ state: 'completed' }])
  expect(toObservation(state, new Set([container.id])).services).toMatchObject([
    { state: 'exited' },
  ])
})

it('keeps a drift that is not healed yet over a new target, which heals it, and no other', () => {
  const wantOf = (revision: number) => {
    const desired = { compose: {}, revision } as never
    return createStackTarget({ desired, entries: [], base: {} }, undefined, false)
  }
  const after = (state: 'Found' | 'Held' | 'Flapping' | 'Healed') => {
    const drift = { state, since: '2026-01-01T12:00:00Z', changes: [] }
    return takeTarget({ ...createStackState(wantOf(1)), drift }, wantOf(2)).drift?.state
  }
  expect(after('Found')).toBe('Found')
  expect(after('Flapping')).toBe('Flapping')
  expect(after('Held')).toBe('Held')
  expect(after('Healed')).toBeUndefined()
})

it('tells of containers with secrets whose service the compose files do not name', () => {
  const given = { desired: { compose: {} } as never, entries: [], base: {} }
  const containers = [
    aContainer('web', 'new'),
    aContainer('api', 'old'),
    aContainer('gone', 'old', { state: 'exited' }),
    aContainer('plain', ''),
  ]
  const running = new Map([
    ['web', ['old']],
    ['job', ['older', 'old', '']],
  ])
  const run = { service: 'web', container: 'web-run', digest: 'old' }
  const oneOffs = { running, ended: [run, { ...run, container: 'plain', digest: '' }] }
  const fresh = createStackState(createStackTarget(given, undefined, false))
  const unread = { ...fresh, containers, oneOffs }
  expect(toObservation(unread).strays).toEqual([{ name: 'job', digests: ['', 'old', 'older'] }])
  const model = { projectName: 'shop', services: [{ name: 'web' }] } as never
  const state = { ...unread, model }
  expect(toObservation(state).strays).toEqual([
    { name: 'api', digests: ['old'] },
    { name: 'job', digests: ['', 'old', 'older'] },
    { name: 'plain', digests: [''] },
  ])
  expect(toObservation(state).ended).toMatchObject([
    { service: 'gone', digest: 'old' },
    { service: 'web', container: 'web-run', digest: 'old' },
  ])
  const fault = { reason: 'EngineUnavailable', message: 'no engine' }
  expect(toObservation({ ...state, fault }).strays).toBeUndefined()
})
