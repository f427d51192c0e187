// What people read of a Rotation: pure.
import { defined } from '../../../src/kernel/defined.ts'
import { withConditions } from '../../../src/resources/conditions.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { no, unknown, yes, type Verdict } from '../../reconcilers/verdict.ts'
import { isStale } from './after-end.ts'
import type { RotationFacts } from './facts.ts'
import { isOverdue } from './idle.ts'

export type Around = Pick<RotationFacts, 'nowMs' | 'createdMs' | 'faults' | 'busy'>

const rolledOut = new Set(['Proving', 'Overlapping', 'Revoking'])

const ready = (status: RotationStatus, { faults }: Around): Verdict => {
  if (faults.length > 0) return no('Refused', faults.join('; '))
  if (status.lastRotatedAt !== undefined)
    return status.skipped?.includes('Revoking') === true
      ? yes(
          'Rotated',
          `the credential was made at ${status.lastRotatedAt}; no old one was known, so none was ended`,
        )
      : yes('Rotated', `rotated last at ${status.lastRotatedAt}`)
  if (status.slot !== undefined && (status.phase ?? 'Idle') === 'Idle')
    return yes('TakenOver', `what the outputs hold is a login of ${status.slot}, and is accepted`)
  const what = rolledOut.has(status.phase ?? 'Idle')
    ? 'the first rotation has not ended yet'
    : 'no credential was made yet'
  return no('NeverRotated', `${what}: see Progressing and Failed`)
}

const doing: Readonly<Record<string, string>> = {
  Preparing: 'the rotator is asked whether it can begin',
  Setting: 'the new credential is made',
  Testing: 'the new credential is tried',
  RollingOut: 'the new values are written',
  Proving: 'until every container is proven to run the new credential',
  Overlapping: 'until the overlap is over and nobody uses the old credential',
  Revoking: 'the old credential is ended',
}
const goingBack: typeof doing = {
  RollingOut: 'the old values are written again',
  Proving: 'until every container is proven to run the old credential again',
}

const progressing = (
  spec: RotationSpec,
  { phase = 'Idle', step, nextAt, attempt, retryFor, retryAt, request }: RotationStatus,
  { busy, faults, nowMs }: Around,
): Verdict => {
  if (phase !== 'Idle') {
    const what = (step === 'Back' ? goingBack[phase] : undefined) ?? doing[phase] ?? ''
    const again =
      retryFor === undefined ? '' : `; tried again at ${retryAt ?? 'once'}, since ${retryFor}`
    const then =
      request === undefined ? '' : `; another one begins after it, as ${request.by} has asked`
    return yes(phase, `attempt ${attempt ?? 1}: ${what}${again}${then}`)
  }
  if (spec.paused === true) return no('Paused', 'spec.paused is true: nothing starts')
  const isDue = request !== undefined || (nextAt !== undefined && Date.parse(nextAt) <= nowMs)
  if (faults.length > 0 && isDue) return no('Waiting', 'it is due, and begins once Ready is True')
  if (busy !== undefined && isDue) return no('Waiting', busy.message)
  return nextAt === undefined
    ? no('Idle', 'the next one starts when somebody asks for it')
    : no('Idle', `the next one starts at ${nextAt}`)
}

const blocked = ({ blockedBy = [], phase, step }: RotationStatus, name: string): Verdict => {
  const [first] = blockedBy
  if (first === undefined) return no('NotBlocked', 'nobody is waited for')
  const named = blockedBy.map(({ stagelet, message }) =>
    stagelet === undefined ? message : `${stagelet}: ${message}`,
  )
  const waits = (phase === 'Proving' || phase === 'Overlapping') && step !== 'Back'
  const until = waits
    ? `; the old credential is not ended before that, unless an owner ends it whatever runs: stagely rotation revoke ${name}`
    : ''
  return yes(first.reason, `${named.join('; ')}${until}`)
}

const failed = ({ failure }: RotationStatus): Verdict =>
  failure === undefined
    ? no('NotFailed', 'the last attempt did not fail')
    : yes(failure.reason, failure.message)

const overdue = (spec: RotationSpec, status: RotationStatus, around: Around): Verdict =>
  isOverdue(spec, status, around)
    ? yes(
        'Overdue',
        'it is more than 7 days past its turn: Ready, Progressing, Blocked and Failed say why',
      )
    : no('InTime', 'it is not past its turn')

/** Only after a restore. */
const tested = ({ restored }: RotationStatus): Verdict | undefined => {
  if (restored === undefined) return undefined
  const { state, message } = restored
  if (state === 'Untested' || state === 'Unknown') return unknown(state, message)
  return (state === 'Renewing' || state === 'Refused' ? no : yes)(state, message)
}

/** Whether what services run is accepted, and since when that is known. */
const accepted = (
  { accepted: asked, illAfter = [] }: RotationStatus,
  nowMs: number,
): Verdict | undefined => {
  if (asked === undefined) return undefined
  const { at, is, why, triedAt } = asked
  const but = why === undefined ? '' : `; not asked at ${triedAt ?? at}, since ${why}`
  const ill = illAfter.length === 0 ? '' : `; not well since the rotation: ${illAfter.join(', ')}`
  if (is === 'refused')
    return no(
      'Refused',
      `what services run was refused at ${at}: somebody has changed that login. Give it what the outputs hold again, or run the rotation${but}${ill}`,
    )
  if (is === 'unknown' || isStale(asked, nowMs)) return unknown('NotAsked', `${but.slice(2)}${ill}`)
  return yes(
    'Accepted',
    `what services run was accepted at ${at}, and is tried once a day${but}${ill}`,
  )
}

/** The status with its conditions. */
export const withVerdicts = (
  spec: RotationSpec,
  status: RotationStatus,
  around: Around,
  {
    name,
    generation,
    now,
  }: { readonly name: string; readonly generation: number | undefined; readonly now: string },
): RotationStatus => {
  const verdicts = {
    Ready: ready(status, around),
    Progressing: progressing(spec, status, around),
    Blocked: blocked(status, name),
    Failed: failed(status),
    Overdue: overdue(spec, status, around),
    ...defined({ Tested: tested(status), Accepted: accepted(status, around.nowMs) }),
  }
  const before = status.conditions?.filter(({ type }) => type in verdicts)
  return {
    ...status,
    ...defined({ observedGeneration: generation }),
    conditions: withConditions(before, verdicts, { generation, now }),
  }
}
