// The words of a rollout. Pure.
import type { KeptRollout, Rollout } from '../../../src/generated/rest-types.ts'
import type { StateKind } from '../../ui/state.tsx'
import { durationText } from '../../ui/time.tsx'

type StageletInRollout = Rollout['stagelets'][number]

const states: Readonly<Record<Rollout['state'], readonly [StateKind, string]>> = {
  Progressing: ['run', 'Rolling'],
  Paused: ['paused', 'Paused'],
  Stopped: ['fail', 'Stopped'],
  Braked: ['warn', 'Braked'],
  Complete: ['ok', 'Complete'],
  Failed: ['fail', 'Failed'],
}
/** Where only stagelets of unknown state are left, the rollout is unknown. */
export const rolloutState = (rollout: Rollout): readonly [StateKind, string] =>
  rollout.state === 'Progressing' &&
  rollout.progressing + rollout.waiting === 0 &&
  isUnseen(rollout)
    ? ['unknown', 'Unknown']
    : rollout.state === 'Complete' && rollout.stagelets.length === 0
      ? ['wait', 'No stagelet']
      : states[rollout.state]

/** How the rollout of one stagelet ended. */
export const resultWords: Readonly<Record<KeptRollout['result'], readonly [StateKind, string]>> = {
  Progressing: ['run', 'Rolling'],
  Healthy: ['ok', 'Healthy'],
  Failed: ['fail', 'Failed'],
  RolledBack: ['fail', 'Rolled back'],
  Superseded: ['wait', 'Superseded'],
  Unknown: ['unknown', 'Unknown'],
}

export const causeWords: Readonly<Record<KeptRollout['cause'], string>> = {
  NewRevision: 'a new revision',
  ComposeFile: 'an edit of the Compose file',
  Drift: 'containers that were changed by hand',
}

/** `3.9 s` below a minute: rollouts are compared by it. */
export const tookText = (
  of: Pick<KeptRollout, 'started_at' | 'finished_at'>,
): string | undefined => {
  const ms = Date.parse(of.finished_at ?? '') - Date.parse(of.started_at ?? '')
  if (Number.isNaN(ms)) return undefined
  return ms < 60_000 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : durationText(ms)
}

const isUnseen = ({ unknown = 0 }: Rollout): boolean => unknown > 0

const statesInRollout: Readonly<
  Record<StageletInRollout['standing'], readonly [StateKind, string, number]>
> = {
  failed: ['fail', 'Failed', 0],
  late: ['fail', 'Late', 1],
  busy: ['run', 'Rolling', 2],
  waiting: ['wait', 'Waiting', 3],
  held: ['wait', 'Held', 4],
  unknown: ['unknown', 'Unknown', 5],
  healthy: ['ok', 'Healthy', 6],
}
export const stateInRollout = ({ standing }: StageletInRollout): readonly [StateKind, string] => {
  const [kind, word] = statesInRollout[standing]
  return [kind, word]
}

/** What needs a person first. */
export const worstFirst = (a: StageletInRollout, b: StageletInRollout): number =>
  statesInRollout[a.standing][2] - statesInRollout[b.standing][2] || a.name.localeCompare(b.name)

/** `4 of 9 healthy, 2 rolling, 3 waiting`. */
export const countsText = (rollout: Rollout): string => {
  const all = rollout.stagelets.length
  const parts = [
    [rollout.failed, 'failed'],
    [rollout.progressing, 'rolling'],
    [rollout.waiting, 'waiting'],
    [rollout.held, 'held'],
    [rollout.unknown ?? 0, 'unknown'],
  ] as const
  if (all === 0) return 'no stagelet uses these secrets yet'
  const others = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
  return [`${rollout.healthy} of ${all} healthy`, ...others].join(', ')
}

/** What stops it, in the words of the controller; empty while nothing does. */
export const stopText = ({ state, message }: Rollout): string =>
  state === 'Complete' || state === 'Progressing' ? '' : message

/** It needs a person, or it moves. */
export const isRolloutOpen = ({ state }: Rollout): boolean => state !== 'Complete'

/** A revision as it is written everywhere: `r43`. */
export const revisionText = (revision: number | undefined): string =>
  revision === undefined || revision === 0 ? '–' : `r${revision}`
