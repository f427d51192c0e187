import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import {
  aService,
  aStagelet,
  anEntry,
  anInput,
  anObservation,
} from '../../../test/support/builders.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { sumOf } from '../../../src/rollout/propagation.ts'
import { decideStagelet } from './decide.ts'
import type { StageletInput } from './facts.ts'
import { propagatedIn, type Propagated } from './propagation.ts'

const start = Date.parse('2026-01-31T10:00:00.000Z')
const at = (ms: number, skewMs = 0): string => toFineTimestamp(start + ms + skewMs)
const revisions = (closed: number) => ({ epoch: 1, closed, closesAt: undefined, quietAt: 0 })
const entries = [anEntry({ key: 'PORT' })]
const digest = serviceDigest(entries) ?? ''
const setOf = (revision: number) => ({ projectUid: 'p', epoch: 1, revision, entries })
const sets = { head: setOf(2), closedSets: [setOf(2), setOf(1)] }

/** One after the other, what each says for the first time; the last status beside it. */
const walk = (...steps: Partial<StageletInput>[]) => {
  let status: StageletStatus | undefined
  const told = steps.flatMap((step) => {
    const own = { ...aStagelet(), ...step.stagelet }
    const stagelet = { ...own, ...(status === undefined ? {} : { status }) }
    const input = anInput(entries, { ...sets, revisions: revisions(2), ...step, stagelet })
    const next = decideStagelet(input).status
    const before = status
    status = next
    const one = propagatedIn(before, next)
    return one === undefined ? [] : [one]
  })
  return { told, status: status! }
}

const seen = (
  revision: number,
  more: Partial<ObservationSpec>,
  rollout?: ObservationSpec['rollout'],
) => ({
  observation: anObservation({ revision, ...more, ...(rollout === undefined ? {} : { rollout }) }),
})
const old = { services: [aService({ name: 'web', digests: ['old'] })] }
const settledAtOne = { nowMs: start - 60_000, revisions: revisions(1), ...seen(1, old) }
const closed = { nowMs: start + 40, revisionClosedAt: at(0), ...seen(1, old) }
const rolling = (skewMs: number, ms: number) => ({
  nowMs: start + ms,
  revisionClosedAt: at(0),
  ...seen(
    2,
    { ...old, phase: 'Applying' },
    { revision: 2, result: 'Progressing', startedAt: at(90, skewMs) },
  ),
})
const done = (skewMs: number, ms: number) => ({
  nowMs: start + ms,
  revisionClosedAt: at(0),
  ...seen(
    2,
    {
      passed: { web: digest },
      services: [aService({ name: 'web', digests: [digest], healthySince: at(2_000, skewMs) })],
    },
    {
      revision: 2,
      result: 'Healthy',
      startedAt: at(90, skewMs),
      finishedAt: at(2_150, skewMs),
      recreated: ['web'],
    },
  ),
})

const agentWith = (clockSkewMs: number): Pick<StageletInput, 'agent'> => {
  const { agent } = anInput([])
  return {
    agent: { ...agent!, status: { ...agent!.status, clockSkewMs } },
  }
}

describe('the times of a revision', () => {
  it('are those from the close to the proof, stage by stage, and add up to the whole', () => {
    const { told, status } = walk(settledAtOne, closed, rolling(0, 100), done(0, 2_200))
    const times = { toldMs: 40, startedMs: 50, healthyMs: 1_910, provenMs: 200 }
    expect(told).toEqual([{ result: 'Proven', times }])
    expect(sumOf(times)).toBe(2_200)
    expect(status.lastRollout).toMatchObject({ closedAt: at(0), times })
    expect(status.held).toBeUndefined()
  })

  it.each([-300_000, 300_000])(
    'are the same where the clock of the machine is %d ms off',
    (skew) => {
      const agent = agentWith(skew)
      const steps = [settledAtOne, closed, rolling(skew, 100), done(skew, 2_200)]
      const { told } = walk(...steps.map((step) => ({ ...step, ...agent })))
      expect(told[0]?.times).toEqual({ toldMs: 40, startedMs: 50, healthyMs: 1_910, provenMs: 200 })
    },
  )

  it('never go back, whatever the machine says of its clock', () => {
    const { told } = walk(settledAtOne, closed, rolling(-86_400_000, 100), done(86_400_000, 2_200))
    const [{ times } = {} as Propagated] = told
    expect(Object.values(times ?? { none: -1 }).every((ms) => ms >= 0)).toBe(true)
    expect(sumOf(times!)).toBe(2_200)
  })

  it('are told once: neither the same report nor a later one tells them again', () => {
    const { told, status } = walk(
      settledAtOne,
      closed,
      rolling(0, 100),
      done(0, 2_200),
      done(0, 9_000),
    )
    expect(told).toHaveLength(1)
    expect(status.lastRollout?.times?.provenMs).toBe(200)
    // Nothing is written for a quiet stagelet, and a controller that begins anew has this status alone.
    const kept = JSON.parse(JSON.stringify(status)) as StageletStatus
    const quiet = { ...done(0, 600_000), stagelet: { ...aStagelet(), status: kept } }
    const input = anInput(entries, { ...sets, revisions: revisions(2), ...quiet })
    const next = decideStagelet(input).status
    expect(next).toEqual(kept)
    expect(propagatedIn(kept, next)).toBeUndefined()
  })
})

describe('what waited for a person or a machine', () => {
  const paused = {
    ...closed,
    stagelet: { ...aStagelet(), spec: { ...aStagelet().spec, paused: true } },
  }
  it('is counted with what held it, and has no place among the times', () => {
    const { told } = walk(settledAtOne, paused, rolling(0, 100_000), done(0, 102_000))
    expect(told).toEqual([{ result: 'Paused' }])
  })

  it('is an agent that was away: counted, and in no percentile', () => {
    const { agent } = anInput([])
    const lastTransitionTime = at(-60_000)
    const gone = { type: 'Ready', status: 'Unknown', reason: 'Disconnected', message: '' } as const
    const status = { lastLost: at(-60_000), conditions: [{ ...gone, lastTransitionTime }] }
    const away = { ...closed, agent: { ...agent!, status } }
    const { told } = walk(settledAtOne, away, rolling(0, 100_000), done(0, 102_000))
    expect(told).toEqual([{ result: 'AgentAway' }])
  })

  it('is a first rollout too', () => {
    const first = { nowMs: start, revisionClosedAt: at(-60_000), observation: undefined }
    expect(walk(first, rolling(0, 100), done(0, 2_200)).told).toEqual([{ result: 'FirstRollout' }])
  })

  it('is told by the status while it waits', () => {
    expect(walk(settledAtOne, paused).status.held).toEqual({ revision: 2, because: 'Paused' })
  })
})
