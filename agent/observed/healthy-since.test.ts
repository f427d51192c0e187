import { describe, expect, it } from 'vitest'
import { aContainer } from '../../test/support/agents/a-container.ts'
import type { ContainerDetails } from '../docker/engine.ts'
import {
  createHealthEvents,
  firstHealthyIn,
  healthySinceOf,
  healthyTimes,
} from './healthy-since.ts'

const nothing = (): undefined => undefined
const startedAt = '2026-01-01T12:00:00.5Z'
const check = (second: number, code: number) => ({
  Start: `2026-01-01T12:00:0${second}.1Z`,
  End: `2026-01-01T12:00:0${second}.2Z`,
  ExitCode: code,
  Output: '',
})
const detailsWith = (...log: ReturnType<typeof check>[]): ContainerDetails =>
  ({ State: { StartedAt: startedAt, Health: { Status: 'healthy', Log: log } } }) as never

describe('the moment at which a container became healthy', () => {
  it('is the end of the first check of this start that passed', () => {
    expect(firstHealthyIn(detailsWith(check(1, 1), check(2, 0), check(3, 0)))).toBe(check(2, 0).End)
    expect(firstHealthyIn(detailsWith(check(0, 0), check(1, 1), check(2, 0)))).toBe(check(2, 0).End)
    expect(firstHealthyIn(detailsWith(check(1, 1)))).toBeUndefined()
  })

  it('is not known where the engine may have forgotten the first one', () => {
    const five = [1, 2, 3, 4, 5].map((second) => check(second, 0))
    expect(firstHealthyIn(detailsWith(...five))).toBeUndefined()
    expect(firstHealthyIn(detailsWith(check(1, 1), ...five.slice(1)))).toBe(check(2, 0).End)
    expect(firstHealthyIn(detailsWith(check(0, 0), ...five.slice(1)))).toBe(check(2, 0).End)
  })

  it('is remembered of the same start of a container alone', () => {
    const web = aContainer('web', 'd', { health: 'healthy', startedAt, firstHealthyAt: 'then' })
    const times = healthyTimes([web], new Map(), nothing)
    const forgotten = { ...web, firstHealthyAt: undefined }
    expect(healthySinceOf([forgotten], healthyTimes([forgotten], times, nothing))).toBe('then')
    const again = { ...forgotten, startedAt: '2026-01-01T12:30:00Z' }
    expect(healthySinceOf([again], healthyTimes([again], times, nothing))).toBeUndefined()
  })

  it('is that of the last of several, once all are healthy', () => {
    const web1 = aContainer('web', 'd', {
      id: '1',
      health: 'healthy',
      firstHealthyAt: '2026-01-01T1',
    })
    const two = { ...web1, id: '2', firstHealthyAt: '2026-01-01T2' }
    const times = healthyTimes([web1, two], new Map(), nothing)
    expect(healthySinceOf([two, web1], times)).toBe('2026-01-01T2')
    expect(healthySinceOf([web1, { ...two, health: 'starting' }], times)).toBeUndefined()
    expect(healthySinceOf([], times)).toBeUndefined()
  })

  it('is what the engine said of this start, where its log says it no more', () => {
    const health = createHealthEvents()
    const says = (Action: string, second: number): void => {
      const timeNano = Date.parse(`2026-01-01T12:00:0${second}Z`) * 1e6
      health.note({ Action, timeNano, Actor: { ID: 'id-web', Attributes: {} } })
    }
    const web = aContainer('web', 'd', { health: 'healthy', startedAt })
    const since = (): string | undefined =>
      healthySinceOf([web], healthyTimes([web], new Map(), health.firstHealthyOf))
    says('health_status: healthy', 0)
    expect(since()).toBeUndefined()
    says('start', 1)
    says('health_status: healthy', 2)
    says('health_status: healthy', 4)
    health.note(undefined)
    expect(since()).toBe('2026-01-01T12:00:02.000Z')
  })
})
