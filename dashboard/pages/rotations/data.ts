// A rotation in words: its seven steps as a line, and in which state it is. Pure.
import { surelySeen } from '../../../src/resources/kinds/rotation-use.ts'
import type { Rotation } from '../../../src/rest/types.ts'
import type { StateKind } from '../../ui/state-kind.ts'

type Phase = NonNullable<Rotation['phase']>

/** The steps in order, each with what it does. */
const steps = [
  ['Preparing', 'Prepare', 'is everything there, and new values are made'],
  ['Setting', 'Set', 'the new credential is made'],
  ['Testing', 'Test', 'it is accepted, and a random one is not'],
  ['RollingOut', 'Roll out', 'the new values are written'],
  ['Proving', 'Prove', 'every container runs the new one'],
  ['Overlapping', 'Overlap', 'both are valid until nobody uses the old one'],
  ['Revoking', 'Revoke', 'the old one is ended, and refused'],
] as const satisfies readonly (readonly [Phase, string, string])[]

export interface Step {
  readonly name: string
  readonly does: string
  readonly state: 'done' | 'skipped' | 'now' | 'blocked' | 'next'
}

const isTrue = ({ conditions }: Pick<Rotation, 'conditions'>, type: string): boolean =>
  conditions.some((one) => one.type === type && one.status === 'True')

const ofOldOne = new Set<Phase>(['Proving', 'Overlapping', 'Revoking'])

/** Not done by the last rotation. A status of before does not say it: what has no evidence was not proven. */
const isSkipped = ({ skipped, evidence }: Rotation, phase: Phase): boolean =>
  skipped === undefined ? evidence.length === 0 && ofOldOne.has(phase) : skipped.includes(phase)

/** Between two rotations all steps that one has done are so, and to come where none was completed. */
export const lineOf = (rotation: Rotation): readonly Step[] => {
  const at = steps.findIndex(([phase]) => phase === rotation.phase)
  const isBlocked = isTrue(rotation, 'Blocked')
  return steps.map(([phase, name, does], index): Step => {
    if (at < 0) {
      const isDone = rotation.last_rotated_at !== undefined && rotation.failure === undefined
      if (isDone && isSkipped(rotation, phase)) return { name, does, state: 'skipped' }
      return { name, does, state: isDone ? 'done' : 'next' }
    }
    if (index === at) return { name, does, state: isBlocked ? 'blocked' : 'now' }
    // Of one that ends the old credential whatever runs, nothing was proven.
    const isUnproven = phase === 'Proving' && rotation.evidence.length === 0
    if (index < at) return { name, does, state: isUnproven ? 'skipped' : 'done' }
    return { name, does, state: 'next' }
  })
}

export interface ShownState {
  readonly kind: StateKind
  readonly word: string
  /** In the words of the controller; '': nothing more is to be said. */
  readonly why: string
}

const messageOf = ({ conditions }: Rotation, type: string): string =>
  conditions.find((one) => one.type === type)?.message ?? ''

export const stateOf = (rotation: Rotation): ShownState => {
  const { phase } = rotation
  const isUnderWay = phase !== 'Idle'
  const untested = rotation.conditions.find(
    ({ type, status }) => type === 'Tested' && status !== 'True',
  )
  if (untested !== undefined)
    return {
      kind: 'warn',
      word: untested.status === 'False' ? 'Refused after a restore' : 'Not tested after a restore',
      why: untested.message,
    }
  if (isTrue(rotation, 'Blocked'))
    return { kind: 'warn', word: 'Waits for somebody', why: messageOf(rotation, 'Blocked') }
  if (isUnderWay)
    return {
      kind: 'run',
      word: rotation.step === 'Back' ? 'Going back' : 'Rotating',
      why: messageOf(rotation, 'Progressing'),
    }
  if (isTrue(rotation, 'Failed'))
    return { kind: 'fail', word: 'Failed', why: messageOf(rotation, 'Failed') }
  const refused = rotation.conditions.find(
    ({ type, reason, status }) => type === 'Ready' && status === 'False' && reason === 'Refused',
  )
  if (refused !== undefined) return { kind: 'fail', word: 'Cannot begin', why: refused.message }
  if (rotation.paused) return { kind: 'paused', word: 'Paused', why: '' }
  if (isTrue(rotation, 'Overdue'))
    return { kind: 'warn', word: 'Overdue', why: messageOf(rotation, 'Overdue') }
  if (rotation.last_rotated_at === undefined)
    return { kind: 'wait', word: 'Never rotated', why: messageOf(rotation, 'Progressing') }
  return { kind: 'ok', word: 'Rotated', why: '' }
}

/** Of one that says no time of its next turn. */
export const nextText = ({ schedule, phase }: Pick<Rotation, 'schedule' | 'phase'>): string =>
  schedule === undefined || phase === 'Idle'
    ? 'when somebody asks'
    : 'known when this one has ended'

export const scheduleText = ({ schedule }: Pick<Rotation, 'schedule'>): string => {
  if (schedule === undefined) return 'when somebody asks for it'
  const { every, window } = schedule
  if (window === undefined) return `every ${every}`
  const days = window.days === undefined ? '' : `${window.days.join(', ')} `
  return `every ${every}, ${days}${window.from} to ${window.to} ${window.timezone ?? 'UTC'}`
}

/** What was seen of clients of the old credential. */
export const useText = ({
  looks,
  watched_ms: watchedMs,
  seen_at: seen,
}: NonNullable<Rotation['use']>): string =>
  `${looks === 1 ? 'looked once' : `looked ${looks} times`}, ${seen === undefined ? `none seen (${surelySeen({ looks, watchedMs })})` : `last seen at ${seen}`}`
