// How rotations are printed.
import { surelySeen } from '../../src/kinds/rotation/use.ts'
import type { Rotation, RotationStep } from '../../src/generated/rest-types.ts'
import type { RecordView } from '../output/records.ts'
import { hanging } from '../print.ts'

export const historyView: RecordView<RotationStep> = {
  columns: [
    { header: 'TIME', cell: ({ at }) => at },
    { header: 'ATTEMPT', cell: ({ attempt }) => attempt },
    { header: 'PHASE', cell: ({ to }) => to ?? '' },
    { header: 'STEP', cell: ({ step }) => step ?? '', wide: true },
    { header: 'EVENT', cell: ({ what }) => what ?? '' },
    { header: 'MESSAGE', cell: ({ message }) => message ?? '' },
  ],
  nameOf: ({ attempt }) => `attempt/${String(attempt)}`,
  empty: 'No steps yet.',
}

const labelled = 13
/** Further lines of a message, such as of a log, stand below its first one: nobody takes them for another label. */
const line = (name: string, text: string): string =>
  `${`${name}:`.padEnd(labelled)}${hanging(text.trimEnd(), labelled)}`

const nextText = ({ next_at: next, schedule, phase, paused }: Rotation): string => {
  if (paused) return 'not while it is paused'
  if (next !== undefined) return next
  return schedule === undefined || phase === 'Idle'
    ? 'when somebody asks for it'
    : 'known when this attempt has ended'
}

const switched = new Set(['Proving', 'Overlapping', 'Revoking'])

/** The login that the outputs name. */
const inUseText = ({
  phase,
  step,
  slot,
  candidate_slot: candidate,
}: Rotation): string | undefined => {
  if (candidate === undefined || step === 'Back' || !switched.has(phase)) return slot
  return slot === undefined ? candidate : `${candidate}, in place of ${slot}`
}

const skippedWords: Readonly<Record<string, string>> = {
  Proving: 'nothing was proven',
  Overlapping: 'no overlap',
  Revoking: 'no old credential was known, so none was ended',
}

/** What the last rotation has not done. */
const skippedText = ({ skipped = [], phase }: Rotation): string | undefined =>
  phase !== 'Idle' || skipped.length === 0
    ? undefined
    : skipped.map((reason) => skippedWords[reason] ?? reason).join('; ')

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** Clients of the old credential, also outside of the stacks: what was seen of them. */
const useText = ({ use, phase }: Rotation): string | undefined => {
  if (use !== undefined) {
    const { looks, watched_ms: watchedMs, since, at, seen_at: lastSeenAt } = use
    const found =
      lastSeenAt === undefined
        ? `none (${surelySeen({ looks, watchedMs })})`
        : `the last one at ${lastSeenAt}`
    return `looked ${times(looks)} for sessions of the old credential, from ${since} to ${at}: ${found}`
  }
  return phase === 'Overlapping' ? 'nobody can know who else uses the old credential' : undefined
}

/** Where it stands, beside its conditions. */
export const rotationSummary = (rotation: Rotation): string[] => {
  const inUse = inUseText(rotation)
  const [use, skipped] = [useText(rotation), skippedText(rotation)]
  return [
    line(
      'Phase',
      `${rotation.phase}${rotation.step === undefined ? '' : ` (${rotation.step})`}, attempt ${rotation.attempt}`,
    ),
    ...(inUse === undefined ? [] : [line('In use', inUse)]),
    line(
      'Outputs',
      Object.entries(rotation.outputs)
        .map(([output, name]) => `${output} → ${name}`)
        .join(', '),
    ),
    line('Last', rotation.last_rotated_at ?? 'never'),
    line('Next', nextText(rotation)),
    ...rotation.blocked_by.map(({ stagelet, message }) =>
      line('Waits for', stagelet === undefined ? message : `${stagelet}: ${message}`),
    ),
    ...rotation.evidence.map(({ stagelet, revision, containers, ended = [] }) =>
      line(
        'Proven',
        `${stagelet}: ${containers} ${containers === 1 ? 'container' : 'containers'}, revision ${revision}${ended.length === 0 ? '' : `; ended, and refused when started again: ${ended.join(', ')}`}`,
      ),
    ),
    ...(use === undefined ? [] : [line('Clients', use)]),
    ...(skipped === undefined ? [] : [line('Not done', skipped)]),
  ]
}

/** Phases of an attempt that has given out no value. */
export const unwritten = new Set<Rotation['phase']>(['Idle', 'Preparing', 'Setting', 'Testing'])

/** What follows from asking for a run; `isHasty`: overlap or proof are skipped. */
export const runText = (rotation: Rotation, { isHasty }: { readonly isHasty: boolean }): string => {
  const { name, phase, attempt, failure, conditions, started_at: since = '' } = rotation
  const messageOf = (type: string, reason?: string): string | undefined =>
    conditions.find((is) => is.type === type && (reason === undefined || is.reason === reason))
      ?.message
  if (phase === 'Idle') {
    const refused = messageOf('Ready', 'Refused')
    const waits = messageOf('Progressing', 'Waiting')
    if (refused !== undefined)
      return hanging(`rotation/${name} starts once it is Ready: ${refused}`)
    return hanging(`rotation/${name} starts${waits === undefined ? '' : ` later: ${waits}`}`)
  }
  const then =
    failure !== undefined || (!isHasty && !unwritten.has(phase))
      ? 'another attempt begins after it'
      : unwritten.has(phase)
        ? 'it makes the new credential'
        : 'it goes on without the overlap'
  const doing = messageOf('Progressing') ?? `attempt ${attempt}`
  return hanging(`rotation/${name} is under way since ${since}, in ${phase} (${doing}): ${then}`)
}
