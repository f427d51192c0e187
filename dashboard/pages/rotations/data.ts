// A rotation in words: its seven steps as a line, and in which state it is. Pure.
import { surelySeen } from '../../../src/kinds/rotation/use.ts'
import type { Rotation } from '../../../src/generated/rest-types.ts'
import type { StateKind } from '../../live/state-kind.ts'

type Phase = NonNullable<Rotation['phase']>

/** The steps in order, each with what it does. */
const steps = [
  ['Preparing', 'Prepare', 'checks what is needed, and makes new values'],
  ['Setting', 'Set', 'creates the new credential'],
  ['Testing', 'Test', 'checks that the new credential is accepted, and a random one is not'],
  ['RollingOut', 'Roll out', 'writes the new values'],
  ['Proving', 'Prove', 'waits until every container runs the new credential'],
  ['Overlapping', 'Overlap', 'keeps both valid until no client uses the old one'],
  ['Revoking', 'Revoke', 'revokes the old credential, and checks that it is refused'],
] as const satisfies readonly (readonly [Phase, string, string])[]

export interface ShownStep {
  readonly name: string
  readonly does: string
  readonly state: 'done' | 'skipped' | 'now' | 'blocked' | 'next'
}

const isTrue = ({ conditions }: Pick<Rotation, 'conditions'>, type: string): boolean =>
  conditions.some((condition) => condition.type === type && condition.status === 'True')

const ofOldOne = new Set<Phase>(['Proving', 'Overlapping', 'Revoking'])

/** Skipped by the last rotation. An older status has no `skipped`: without evidence nothing was proven. */
const isSkipped = ({ skipped, evidence }: Rotation, phase: Phase): boolean =>
  skipped === undefined ? evidence.length === 0 && ofOldOne.has(phase) : skipped.includes(phase)

/** Between two rotations all steps that one has done are so, and to come where none was completed. */
export const stepsOf = (rotation: Rotation): readonly ShownStep[] => {
  const at = steps.findIndex(([phase]) => phase === rotation.phase)
  const isBlocked = isTrue(rotation, 'Blocked')
  return steps.map(([phase, name, does], index): ShownStep => {
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

export interface RotationState {
  readonly kind: StateKind
  readonly word: string
  /** In the words of the controller; '': nothing more is to be said. */
  readonly why: string
}

const messageOf = ({ conditions }: Rotation, type: string): string =>
  conditions.find((condition) => condition.type === type)?.message ?? ''

export const rotationState = (rotation: Rotation): RotationState => {
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
    return { kind: 'warn', word: 'Blocked', why: messageOf(rotation, 'Blocked') }
  if (isUnderWay)
    return {
      kind: 'run',
      word: rotation.step === 'Back' ? 'Rolling back' : 'Rotating',
      why: messageOf(rotation, 'Progressing'),
    }
  if (isTrue(rotation, 'Failed'))
    return { kind: 'fail', word: 'Failed', why: messageOf(rotation, 'Failed') }
  const refused = rotation.conditions.find(
    ({ type, reason, status }) => type === 'Ready' && status === 'False' && reason === 'Refused',
  )
  if (refused !== undefined) return { kind: 'fail', word: 'Cannot start', why: refused.message }
  if (rotation.paused) return { kind: 'paused', word: 'Paused', why: '' }
  if (isTrue(rotation, 'Overdue'))
    return { kind: 'warn', word: 'Overdue', why: messageOf(rotation, 'Overdue') }
  if (rotation.last_rotated_at === undefined)
    return { kind: 'wait', word: 'Never rotated', why: messageOf(rotation, 'Progressing') }
  return { kind: 'ok', word: 'Rotated', why: '' }
}

/** Of a rotation without a time of the next one. */
export const nextText = ({ schedule, phase }: Pick<Rotation, 'schedule' | 'phase'>): string =>
  schedule === undefined || phase === 'Idle' ? 'on request' : 'after this rotation'

export const scheduleText = ({ schedule }: Pick<Rotation, 'schedule'>): string => {
  if (schedule === undefined) return 'on request'
  const { every, window } = schedule
  if (window === undefined) return `every ${every}`
  const days = window.days === undefined ? '' : `${window.days.join(', ')} `
  return `every ${every}, ${days}${window.from} to ${window.to} ${window.timezone ?? 'UTC'}`
}

/** How often the clients of the old credential were checked, and when one was seen. */
export const usageText = ({
  looks,
  watched_ms: watchedMs,
  seen_at: lastUse,
}: NonNullable<Rotation['use']>): string =>
  `${looks === 1 ? 'checked once' : `checked ${looks} times`}, ${lastUse === undefined ? `none seen (${surelySeen({ looks, watchedMs })})` : `last seen at ${lastUse}`}`
