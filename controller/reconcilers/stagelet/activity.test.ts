import { describe, expect, it } from 'vitest'
import {
  aService,
  aStagelet,
  anEntry,
  anInput,
  anObservation,
} from '../../../test/support/builders.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { ActivityEntry } from '../../../src/store/core/activity-entry.ts'
import { decideStagelet } from './decide.ts'
import type { StageletInput } from './facts.ts'
import { activityOf } from './activity.ts'

type Rollout = NonNullable<ObservationSpec['rollout']>

/** What is kept while a stagelet goes through these inputs, one after the other. */
const kept = (...steps: Partial<StageletInput>[]): ActivityEntry[] => {
  let status: StageletStatus | undefined
  return steps.flatMap((step, i) => {
    const stagelet = aStagelet(status === undefined ? {} : { status })
    const input = anInput([], { nowMs: i, ...step, stagelet })
    const next = decideStagelet(input).status
    status = next
    return activityOf(input, next)
  })
}
const reports = (
  rollout: Rollout,
  more: Partial<ObservationSpec> = {},
): Partial<StageletInput> => ({ observation: anObservation({ rollout, ...more }) })
const results = (all: readonly ActivityEntry[]): unknown[] =>
  all.map(({ mark, detail }) => [mark, 'result' in detail ? detail.result : undefined])

const at = (second: number): string => `2026-01-31T10:00:0${second}.250Z`
const started = (revision: number, second: number): Rollout => ({
  revision,
  startedAt: at(second),
  result: 'Progressing',
})
const ended = (rollout: Rollout, result: Rollout['result'], second: number): Rollout => ({
  ...rollout,
  result,
  finishedAt: at(second),
})

describe('what is kept of a stagelet', () => {
  it('is the end of a rollout too whose agent was killed meanwhile', () => {
    const settled = anObservation({ revision: 1 })
    const gating = { ...settled, phase: 'Gating' } as const
    const all = kept(reports(started(1, 1)), { observation: gating }, { observation: settled }, {})
    expect(results(all)).toEqual([
      [`rollout ${at(1)}`, 'Progressing'],
      [`rollout ${at(1)}`, 'Healthy'],
    ])
  })

  it('is each rollout once for each news of it, with what it did to each service', () => {
    const services = [
      aService({ name: 'web', since: at(2), healthySince: at(3) }),
      aService({ name: 'peer', since: at(2) }),
      aService({ name: 'job', since: at(2) }),
      aService({ name: 'db', since: at(0) }),
    ]
    const done = {
      ...ended(started(1, 1), 'Healthy', 4),
      recreated: ['peer', 'web'],
      cascaded: ['job', 'peer'],
    }
    const all = kept(
      reports(started(1, 1)),
      reports(started(1, 1), { services }),
      reports(done, { services }),
      reports(done, { services }),
    )
    expect(results(all)).toEqual([
      [`rollout ${at(1)}`, 'Progressing'],
      [`rollout ${at(1)}`, 'Healthy'],
    ])
    expect(all[1]).toMatchObject({
      kind: 'rollout',
      namespace: 'default',
      project: 'shop',
      stagelet: 'shop',
      detail: {
        revision: 1,
        cause: 'NewRevision',
        startedAt: at(1),
        finishedAt: at(4),
        services: [
          { name: 'db', what: 'untouched', since: at(0) },
          { name: 'job', what: 'restarted', since: at(2) },
          { name: 'peer', what: 'cascaded', since: at(2) },
          { name: 'web', what: 'recreated', since: at(2), healthyAt: at(3) },
        ],
      },
    })
  })

  it('has the times of the controller, which the clock of the machine does not change', () => {
    const agent = {
      ...anInput([]).agent!,
      status: { ...anInput([]).agent!.status, clockSkewMs: 2_000 },
    }
    const services = [aService({ name: 'web', since: at(5) })]
    const [one] = kept({ ...reports(started(1, 4), { services }), agent })
    expect(one).toMatchObject({
      mark: `rollout ${at(4)}`,
      detail: { startedAt: at(2), services: [{ since: at(3) }] },
    })
  })

  it('says when the agent was told, at the latest when it began', () => {
    const told = Date.parse(at(3))
    const toldAt = (second: number): unknown => {
      const [, one] = kept(
        { observation: anObservation({ revision: 0 }), nowMs: told },
        { ...reports(started(1, second)), nowMs: told },
      )
      return one ?? kept({ ...reports(started(1, second)), nowMs: told })[0]?.detail
    }
    expect(toldAt(5)).toMatchObject({ toldAt: at(3) })
    expect(toldAt(2)).toMatchObject({ toldAt: at(2) })
  })

  it('blames the service and the keys that came with a failure, and names who set them', () => {
    const before = [anEntry({ key: 'URL', secretId: 's1', version: 1 })]
    const after = [anEntry({ key: 'URL', secretId: 's1', version: 2, valueDigest: 'new' })]
    const set = (revision: number, entries: typeof before) => ({
      projectUid: 'p',
      epoch: 1,
      revision,
      entries,
    })
    const quarantine = [{ service: 'web', digest: 'd', revision: 2, retry: '', message: 'exit 1' }]
    const failed = { ...ended(started(2, 1), 'Failed', 2), service: 'web', message: 'exit 1' }
    const going = {
      head: set(2, after),
      closedSets: [set(2, after), set(1, before)],
      authors: new Map([['s1', { version: 2, by: 'ann', at: at(0) }]]),
    }
    const step = (rollout: Rollout): Partial<StageletInput> => ({
      ...reports(rollout, { quarantine, phase: 'Gating' }),
      ...going,
    })
    const healthy = { observation: anObservation({ phase: 'Settled', revision: 1 }) }
    const all = kept(
      healthy,
      reports(started(2, 1)),
      step(failed),
      step(started(1, 3)),
      step(ended(started(1, 3), 'RolledBack', 4)),
    )
    const blame = { service: 'web', keys: ['URL'], authors: ['ann'] }
    expect(all.at(1)).toMatchObject({ detail: { result: 'Failed', blame } })
    expect(all.at(-1)).toMatchObject({ detail: { revision: 1, result: 'RolledBack', blame } })
    const lost = kept(healthy, reports(started(2, 1)), step(started(1, 3)))
    expect(results(lost)).toEqual([
      [`rollout ${at(1)}`, 'Progressing'],
      [`rollout ${at(1)}`, 'Failed'],
      [`rollout ${at(3)}`, 'Progressing'],
    ])
    expect(lost[1]).toMatchObject({ detail: { blame, message: 'exit 1', finishedAt: at(3) } })
  })

  it('says of a rollout that was overtaken that its end is not known', () => {
    expect(results(kept(reports(started(1, 1)), reports(started(2, 3))))).toEqual([
      [`rollout ${at(1)}`, 'Progressing'],
      [`rollout ${at(1)}`, 'Superseded'],
      [`rollout ${at(3)}`, 'Progressing'],
    ])
  })

  it('is a drift as one thing from found to healed, with who made it, and a command that a person ran', () => {
    const by = 'ann (as told) with "stagely compose rm -sf web"'
    const changes = [{ service: 'web', container: 'shop-web-1', what: 'Removed' as const, by }]
    const drift = (state: 'Found' | 'Healed') => ({
      observation: anObservation({ drift: { state, since: at(1), changes } }),
    })
    const rm = { command: 'rm -sf web', user: 'ann', at: at(0), exitCode: 0, touched: ['web'] }
    const hand = { command: 'ps', user: 'ann', at: at(5), exitCode: 0, touched: [] }
    const all = kept(
      ...[drift('Found'), drift('Found'), drift('Healed')],
      { observation: anObservation({ hand: rm }) },
      { observation: anObservation({ hand }) },
    )
    expect(all).toMatchObject([
      { mark: `drift ${at(1)}`, kind: 'drift', detail: { state: 'Found', changes: [{ by }] } },
      { mark: `drift ${at(1)}`, kind: 'drift', detail: { state: 'Healed' } },
      {
        mark: `hand ${at(5)}`,
        kind: 'drift',
        at: Date.parse(at(5)),
        detail: { state: 'ByHand', user: 'ann', command: 'ps' },
      },
    ])
  })

  it('holds a time, whatever an agent says of its clock and of its machine', () => {
    const agent = { status: { clockSkewMs: -8_640_000_000_000_000 } } as StageletInput['agent']
    const last = { ...ended(started(1, 1), 'Healthy', 2), finishedAt: '9999-12-31T23:59:59Z' }
    const [entry] = kept({ ...reports(last), agent })
    expect(entry?.detail).toMatchObject({ finishedAt: '9999-12-31T23:59:59.999Z' })
  })
})
