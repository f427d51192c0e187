// How a Rotation enters a state: which fields of its status stay. Pure.
import { toTimestamp as time } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { Phase, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { Next } from './facts.ts'
import { results, type Effect, type State, type Then } from './machine.ts'

/** The status in another phase. */
const inPhase = (status: RotationStatus, phase: Phase, nowMs: number): RotationStatus => {
  const { tries: _t, retryAt: _r, retryFor: _f, provenSince: _p, blockedBy: _b, ...kept } = status
  return { ...kept, phase, phaseSince: time(nowMs) }
}

/** The status without what belongs to an attempt. */
export const atRest = (status: RotationStatus, nowMs: number): RotationStatus => {
  const { step: _s, cause: _c, now: _n, withoutProof: _w, ...kept } = inPhase(status, 'Idle', nowMs)
  const {
    candidateSlot: _cs,
    hasOld: _h,
    startedAt: _st,
    nextAt: _na,
    provenAt: _pa,
    provingSince: _ps,
    revokeStartedAt: _rs,
    oldIsLogin: _oi,
    provenRuns: _pr,
    illBefore: _ib,
    ...rest
  } = kept
  return { ...rest, endedAt: time(nowMs) }
}

/** After a failure of this step the outputs get the values of the step before. */
const failedStepOf = ({ step, backFrom }: RotationStatus): RotationStatus['backFrom'] =>
  step === 'Back' ? backFrom : (step ?? 'Switch')

const enter = (status: RotationStatus, state: State, nowMs: number): RotationStatus => {
  switch (state) {
    case 'Idle':
      return atRest(status, nowMs)
    case 'Ending':
      return { ...status, revokeStartedAt: time(nowMs) }
    case 'Failing':
      return inPhase(status, status.phase ?? 'Setting', nowMs)
    case 'RollingBack': {
      const back = { step: 'Back', ...defined({ backFrom: failedStepOf(status) }) } as const
      return { ...inPhase(status, 'RollingOut', nowMs), ...back }
    }
    case 'ProvingBack':
      return inPhase(status, 'Proving', nowMs)
    case 'Preparing':
    case 'Setting':
    case 'Testing':
    case 'RollingOut':
    case 'Proving':
    case 'Overlapping':
    case 'Revoking':
      return inPhase(status, state, nowMs)
  }
}

/** Why an attempt fails. */
export interface Failed {
  readonly reason: string
  readonly message: string
}

/** What was observed: the part of the status that only the observer knows. */
export interface Observed {
  /** In place of the status as it was. */
  readonly status?: RotationStatus | undefined
  readonly set?: Partial<RotationStatus>
  readonly failure?: Failed
  /** Of the event. */
  readonly message?: string | undefined
  /** Of a wait: its end (ms). */
  readonly until?: number | undefined
}

/** What follows from a row of the machine. */
export const take = (
  then: Then,
  before: RotationStatus,
  nowMs: number,
  { status: from = before, set, failure, message = failure?.message ?? '', until }: Observed,
): Next => {
  if (then.do === 'effect') return then
  if (then.do === 'wait') return { do: 'wait', status: { ...from, ...set }, until }
  const { to, event } = then
  const isOver = to === 'Idle' && failure !== undefined
  const status: RotationStatus = {
    ...(to === undefined ? from : enter(from, to, nowMs)),
    ...(isOver && { failures: (from.failures ?? 0) + 1 }),
    ...(failure && { failure }),
    ...set,
  }
  return { do: 'move', status, ...(event && { rotationEvent: { reason: event, message } }) }
}

type Results = typeof results
export type ResultOf<E extends Effect> = keyof Results[E] & string

/** What follows from the result of an effect. */
export const afterResult = <E extends Effect, R extends ResultOf<E>>(
  [effect, result]: readonly [E, R],
  before: RotationStatus,
  nowMs: number,
  observed: Observed,
): Extract<Next, Pick<Results[E][R] & Then, 'do'>> =>
  take(results[effect][result] as Then, before, nowMs, observed) as never
