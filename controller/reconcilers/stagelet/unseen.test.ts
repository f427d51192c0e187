import { describe, expect, it } from 'vitest'
import {
  aService,
  aStagelet,
  anEntry,
  anInput,
  anObservation,
} from '../../../test/support/builders.ts'
import type { AgentStatus } from '../../../src/kinds/agent/schema.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { presenceOf } from '../../../src/kinds/agent/presence.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import { decideStagelet } from './decide.ts'
import { stageletEventsOf } from './events.ts'
import type { StageletInput } from './facts.ts'
import { seenTypes } from './unseen.ts'

const entries = [anEntry({ key: 'DATABASE_URL' })]
const digest = serviceDigest(visibleTo('web', 'shop', entries))!
const observation = anObservation({
  services: [
    aService({
      name: 'web',
      digests: [digest],
      health: 'healthy',
      restarts: 2,
      since: '2026-01-01T08:00:00Z',
    }),
  ],
  passed: { web: digest },
})

const lostAt = '2026-01-01T09:00:00.123Z'
const said = 'agent "box" was last seen at 2026-01-01T09:00:00Z'

type Agent = NonNullable<StageletInput['agent']>
const anAgent = (ready: [string, string] | undefined, status: Partial<AgentStatus> = {}): Agent => {
  const lastTransitionTime = '2026-01-01T09:00:20Z'
  const conditions =
    ready === undefined
      ? []
      : [
          {
            type: 'Ready',
            status: ready[0] as 'True',
            reason: ready[1],
            message: '',
            lastTransitionTime,
          },
        ]
  return { ...anInput([]).agent!, status: { ...status, conditions } }
}
const lost = { lastSeen: '2026-01-01T09:00:00Z', lastLost: lostAt }
const away = anAgent(['Unknown', 'Disconnected'], lost)
const back = anAgent(['True', 'Connected'], { ...lost, lastSeen: '2026-01-01T10:00:00Z' })

/** Status after these inputs, one after the other. */
const after = (...steps: Partial<StageletInput>[]): StageletStatus =>
  steps.reduce<StageletStatus>((status, step) => {
    const stagelet = aStagelet(Object.keys(status).length === 0 ? {} : { status })
    return decideStagelet(anInput(entries, { stagelet, observation, ...step })).status
  }, {})
const verdict = (status: StageletStatus, type: string): string => {
  const condition = findCondition(status.conditions, type)
  return `${condition?.status}/${condition?.reason}`
}
const message = (status: StageletStatus, type: string): string =>
  findCondition(status.conditions, type)?.message ?? ''

describe('a stagelet whose agent is away', () => {
  it('is unknown in all that only its machine can tell, with what was true then', () => {
    const status = after({}, { agent: away })
    for (const type of seenTypes) expect(verdict(status, type)).toBe('Unknown/AgentAway')
    expect(verdict(status, 'AgentReachable')).toBe('False/Disconnected')
    expect(message(status, 'SecretsInSync')).toBe(`${said}; then: InSync, revision 1`)
    expect(message(status, 'Ready')).toBe(`${said}; then: Ready`)
    expect(JSON.stringify(status)).not.toContain('run on')
    expect(status.lastSeen).toMatchObject({ at: '2026-01-01T09:00:00Z', revision: 1 })
    expect(status.lastSeen?.conditions).toContainEqual(
      expect.objectContaining({ type: 'SecretsInSync', status: 'True', reason: 'InSync' }),
    )
  })

  it('says of no service how it is, but how it was', () => {
    const status = after({}, { agent: away })
    expect(status.runningRevision).toBeUndefined()
    expect(status.services).toEqual([
      {
        name: 'web',
        wantedDigest: digest,
        keys: ['DATABASE_URL'],
        state: 'unknown',
        lastSeen: {
          at: '2026-01-01T09:00:00Z',
          runningDigest: digest,
          revision: 1,
          state: 'running',
          health: 'healthy',
          restarts: 2,
          since: '2026-01-01T08:00:00Z',
          containers: 1,
        },
      },
    ])
  })

  it('stays as it was said: nothing is written twice', () => {
    const status = after({}, { agent: away })
    expect(after({}, { agent: away }, { agent: away, now: '2026-02-02T00:00:00Z' })).toEqual(status)
  })

  it('is known again by a report, and not before: not by its agent alone', () => {
    const stale = after({}, { agent: away }, { agent: back })
    expect(verdict(stale, 'AgentReachable')).toBe('True/Connected')
    expect(verdict(stale, 'SecretsInSync')).toBe('Unknown/AgentAway')
    expect(message(stale, 'SecretsInSync')).toBe(
      'agent "box" is back and has not reported yet; it was last seen at 2026-01-01T09:00:00Z; then: InSync, revision 1',
    )
    const told = { agent: back, observation: { ...observation, presence: presenceOf(back) } }
    const status = after({}, { agent: away }, { agent: back }, told)
    expect(verdict(status, 'Ready')).toBe('True/Ready')
    expect(status.lastSeen).toBeUndefined()
    expect(status).toMatchObject({ runningRevision: 1, services: [{ state: 'running' }] })
  })

  it('says that what it had is not the newest, and stays unknown', () => {
    const newer = [anEntry({ key: 'DATABASE_URL', version: 2 })]
    const set = { projectUid: 'p', epoch: 1, revision: 2, entries: newer }
    const revisions = { epoch: 1, closed: 2, closesAt: undefined, quietAt: 0 }
    const status = after({}, { agent: away }, { agent: away, head: set, revisions })
    expect(verdict(status, 'SecretsInSync')).toBe('Unknown/AgentAway')
    expect(message(status, 'SecretsInSync')).toBe(
      `${said}; then: InSync, revision 1; the newest is revision 2`,
    )
    expect(status.wantedRevision).toBe(2)
  })

  it('does not take a secret that was written after it was lost for what was so before', () => {
    const written = after({})
    written.conditions = written.conditions?.map((c) =>
      c.type === 'SecretsInSync'
        ? {
            ...c,
            status: 'False',
            reason: 'NewRevision',
            lastTransitionTime: '2026-01-01T09:00:10Z',
          }
        : c,
    )
    const stagelet = aStagelet({ status: written })
    const { status } = decideStagelet(anInput(entries, { stagelet, observation, agent: away }))
    expect(message(status, 'SecretsInSync')).toBe(`${said}; then: InSync, revision 1`)
  })

  it('keeps what was wrong readable', () => {
    const fault = { reason: 'ComposeInvalid', message: 'line 2' }
    const sick = { ...observation, phase: 'Failed' as const, fault }
    const status = after({ observation: sick }, { observation: sick, agent: away })
    expect(message(status, 'Degraded')).toBe(`${said}; then: ComposeInvalid: line 2`)
  })

  it.each<[string, Partial<StageletInput>, string]>([
    ['revoked', { agent: anAgent(['False', 'Revoked'], lost) }, 'Unknown/AgentRevoked'],
    ['deleted', { agent: undefined }, 'Unknown/AgentMissing'],
    [
      'revoked and has joined anew',
      { agent: anAgent(['Unknown', 'Joined'], lost) },
      'Unknown/AgentAway',
    ],
    [
      'another one of the same name',
      { agent: back, observation: { ...observation, presence: `other/${lostAt}` } },
      'Unknown/AgentAway',
    ],
    [
      'one that never reported this stagelet',
      { agent: away, observation: undefined },
      'Unknown/AgentAway',
    ],
    [
      'away, and its project is gone',
      { agent: away, projectExists: false, head: undefined, revisions: undefined },
      'False/ProjectMissing',
    ],
  ])('is told apart: the agent is %s', (_what, step, expected) => {
    expect(verdict(after({}, step), 'SecretsInSync')).toBe(expected)
  })

  it('says of a drained or waiting one what the controller itself knows', () => {
    const input = anInput(entries, { agent: away, isStaged: true })
    expect(verdict(decideStagelet(input).status, 'Progressing')).toBe('False/AwaitingTurn')
  })
})

it('was last seen by its last report, where that came after the last sign of life', () => {
  const reported = { ...observation, receivedAt: '2026-01-01T09:00:05Z' }
  const status = after({}, { agent: away, observation: reported })
  expect(status.lastSeen?.at).toBe('2026-01-01T09:00:05Z')
})

describe('what an engine runs that does not answer', () => {
  const fault = { reason: 'EngineUnavailable', message: 'no engine' }
  const blind = { ...observation, phase: 'Failed' as const, services: [], fault }
  const why = 'agent "box" sees nothing of its engine: no engine'

  it('is unknown, and that it does not answer is known', () => {
    const status = after({}, { observation: blind })
    for (const type of seenTypes.filter((t) => t !== 'Degraded' && t !== 'Ready'))
      expect(verdict(status, type)).toBe('Unknown/EngineUnavailable')
    expect(message(status, 'SecretsInSync')).toBe(`${why}; then: InSync, revision 1`)
    expect(verdict(status, 'Degraded')).toBe('True/EngineUnavailable')
    expect(verdict(status, 'Ready')).toBe('False/EngineUnavailable')
    expect(status.runningRevision).toBeUndefined()
    expect(status.services).toMatchObject([
      { name: 'web', state: 'unknown', lastSeen: { state: 'running' } },
    ])
  })

  it('is dated by when the engine answered last, in the time of the controller', () => {
    const lost = { ...fault, seenAt: '2025-12-31T23:59:30Z' }
    const { agent } = anInput(entries)
    const skewed = { ...agent!, status: { ...agent!.status, clockSkewMs: -15_000 } }
    const status = after({}, { observation: { ...blind, fault: lost }, agent: skewed })
    const at = '2025-12-31T23:59:45Z'
    const told = `${why}; last seen at ${at}; then: InSync, revision 1`
    expect(message(status, 'SecretsInSync')).toBe(told)
    expect(status.lastSeen?.at).toBe(at)
    expect(status.services).toMatchObject([{ lastSeen: { at } }])
    expect(status.held).toMatchObject({ because: 'EngineUnavailable' })
  })

  it('is told by one event, and stays readable when the agent is lost as well', () => {
    const first = after({}, { observation: blind })
    const before = aStagelet({ status: after({}) })
    expect(stageletEventsOf(before, first)).toMatchObject([
      { reason: 'EngineUnavailable', message: why },
    ])
    const again = after({}, { observation: blind }, { observation: blind })
    expect(stageletEventsOf(aStagelet({ status: first }), again)).toEqual([])
    const lostToo = after({}, { observation: blind }, { observation: blind, agent: away })
    expect(message(lostToo, 'SecretsInSync')).toBe(`${said}; then: InSync, revision 1`)
  })

  it('is known again by the next report', () => {
    const status = after({}, { observation: blind }, {})
    expect(verdict(status, 'Ready')).toBe('True/Ready')
    expect(status.lastSeen).toBeUndefined()
  })
})
