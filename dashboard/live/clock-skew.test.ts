import { expect, it } from 'vitest'
import type { Agent, Stagelet } from '../../src/generated/rest-types.ts'
import { withoutSkew } from './clock-skew.ts'

const agent = (name: string, skew?: number): Agent =>
  ({ name, team: 'default', ...(skew === undefined ? {} : { clock_skew_ms: skew }) }) as Agent
const stagelet = (on: string): Stagelet =>
  ({
    name: 'prod',
    team: 'default',
    agent: on,
    services: [{ name: 'web', since: '2026-03-02T14:00:00.000Z' }, { name: 'job' }],
  }) as unknown as Stagelet

it('takes off the skew of each machine’s clock', () => {
  const all = [stagelet('fast'), stagelet('slow'), stagelet('right'), stagelet('gone')]
  const agents = [agent('fast', 90_000), agent('slow', -90_000), agent('right', 0)]
  expect(withoutSkew(all, agents).map(({ services }) => services)).toEqual([
    [{ name: 'web', since: '2026-03-02T13:58:30.000Z' }, { name: 'job' }],
    [{ name: 'web', since: '2026-03-02T14:01:30.000Z' }, { name: 'job' }],
    all[2]!.services,
    all[3]!.services,
  ])
})

it('gives the same list where all clocks are right', () => {
  const all = [stagelet('right')]
  expect(withoutSkew(all, [agent('right', 0), agent('new')])).toBe(all)
})
