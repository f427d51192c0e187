import { expect, it } from 'vitest'
import type { Agent, KeptRollout, Stagelet } from '../../../src/generated/rest-types.ts'
import type { AppliedChange } from '../../staging/applied.ts'
import { lanesOf, type Lane } from './lanes.ts'

const from = Date.parse('2026-03-02T14:00:00Z')

/** The lane of `web`, which revision 7 has re-created, as its agent tells the times. */
const laneOf = (times: { since?: string; finished?: string; skew?: number }): Lane | undefined => {
  const stagelet = {
    name: 'prod',
    team: 'default',
    agent: 'box',
    conditions: [],
    wanted_revision: 7,
    services: [{ name: 'web', state: 'running', in_sync: true, revision: 7, since: times.since }],
    last_rollout: { revision: 7, recreated: ['web'], finished_at: times.finished },
  } as unknown as Stagelet
  const agent = { name: 'box', team: 'default', clock_skew_ms: times.skew ?? 0 } as Agent
  const clock = { from, now: from + 60_000 }
  return lanesOf({ stagelets: [stagelet], agents: [agent], rollouts: [] }, 7, clock, undefined)[0]
}

it('tells when a container started and was healthy, without the skew of the agent’s clock', () => {
  const times = { since: '2026-03-02T14:00:02.500Z', finished: '2026-03-02T14:00:04Z' }
  expect(laneOf(times)).toMatchObject({ started: 2_500, healthy: 4_000, kind: 'ok' })
  const fast = { since: '2026-03-02T15:00:02.500Z', finished: '2026-03-02T15:00:04Z' }
  expect(laneOf({ ...fast, skew: 3_600_000 })).toMatchObject({ started: 2_500, healthy: 4_000 })
})

it('keeps the times of the rollout where what it made was healed since', () => {
  const stagelet = {
    name: 'prod',
    team: 'default',
    agent: 'box',
    conditions: [],
    wanted_revision: 7,
    services: [
      { name: 'web', state: 'running', in_sync: true, revision: 7, since: '2026-03-02T15:00:00Z' },
    ],
    last_rollout: { revision: 7, cause: 'Drift', recreated: ['web'] },
  } as unknown as Stagelet
  const times = { since: '2026-03-02T14:00:02.500Z', healthy_at: '2026-03-02T14:00:04Z' }
  const rollout = {
    stagelet: 'prod',
    team: 'default',
    revision: 7,
    cause: 'NewRevision',
    result: 'Healthy',
    services: [{ name: 'web', what: 'recreated', ...times }],
  } as unknown as KeptRollout
  const healing = { ...rollout, cause: 'Drift', services: [] } as unknown as KeptRollout
  const rollouts = [healing, rollout]
  const clock = { from, now: from + 7_200_000 }
  const impact = { affected: [{ stagelet: 'prod', service: 'web' }], cascaded: [] }
  const applied = { impact, startedBefore: new Map() } as unknown as AppliedChange
  for (const change of [undefined, applied])
    expect(
      lanesOf({ stagelets: [stagelet], agents: [], rollouts }, 7, clock, change),
    ).toMatchObject([{ service: 'web', started: 2_500, healthy: 4_000, kind: 'ok' }])
})

it('shows no time that cannot be', () => {
  for (const lie of ['2026-03-02T13:00:00Z', '2027-01-01T00:00:00Z', 'yesterday', ''])
    expect(laneOf({ since: lie, finished: lie })).toMatchObject({
      started: undefined,
      healthy: undefined,
      word: 'In sync',
    })
})

it('says that Compose stops the container of before once it has begun, and not that it is told still', () => {
  const stagelet = (last?: object): Stagelet =>
    ({
      name: 'prod',
      team: 'default',
      agent: 'box',
      wanted_revision: 7,
      conditions: [
        { type: 'SecretsInSync', status: 'False', reason: 'NewRevision', message: '' },
        { type: 'Progressing', status: 'True', reason: 'Applying', message: '' },
      ],
      services: [{ name: 'web', state: 'running', in_sync: false, revision: 6 }],
      ...(last === undefined ? {} : { last_rollout: last }),
    }) as unknown as Stagelet
  const impact = { affected: [{ stagelet: 'prod', service: 'web' }], cascaded: [] }
  const applied = { impact, startedBefore: new Map() } as unknown as AppliedChange
  const wordOf = (stagelet: Stagelet) =>
    lanesOf(
      { stagelets: [stagelet], agents: [], rollouts: [] },
      7,
      { from, now: from + 60_000 },
      applied,
    )[0]?.word
  expect(wordOf(stagelet())).toBe('Delivered')
  const begun = { revision: 7, result: 'Progressing', started_at: '2026-03-02T14:00:01Z' }
  expect(wordOf(stagelet(begun))).toBe('Stopping old container')
  expect(wordOf(stagelet({ ...begun, revision: 6 }))).toBe('Delivered')
})
