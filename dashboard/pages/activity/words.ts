// The words of the feed: a glyph and a word for what happened, and the days it is grouped by. Pure.
import type { Happened } from '../../../src/generated/rest-types.ts'
import type { StateKind } from '../../ui/state.tsx'

const words: Readonly<Record<string, readonly [StateKind, string]>> = {
  'revision changed': ['staged', 'Changed'],
  'rollout Progressing': ['run', 'Rolling'],
  'rollout Healthy': ['ok', 'Healthy'],
  'rollout Failed': ['fail', 'Failed'],
  'rollout RolledBack': ['fail', 'Rolled back'],
  'rollout Superseded': ['wait', 'Superseded'],
  'drift found': ['drift', 'Drift'],
  'drift healed': ['ok', 'Healed'],
  'drift held': ['paused', 'Stopped manually'],
  'drift flapping': ['warn', 'Not healing'],
  'drift by_hand': ['drift', 'Manual change'],
  'agent joined': ['ok', 'Joined'],
  'agent away': ['unknown', 'Offline'],
  'agent back': ['ok', 'Online'],
  'agent revoked': ['paused', 'Revoked'],
  'control paused': ['paused', 'Paused'],
  'control resumed': ['run', 'Resumed'],
  'control drained': ['paused', 'Drained'],
  'control undrained': ['run', 'Undrained'],
  'control deployed': ['run', 'Deploy'],
  'control retried': ['run', 'Retry'],
}

export const activityState = ({ kind, what }: Happened): readonly [StateKind, string] =>
  words[`${kind} ${what}`] ?? ['wait', what]

export const kindNames = {
  revision: 'Changes',
  rollout: 'Rollouts',
  drift: 'Drift',
  agent: 'Agents',
  control: 'Operations',
} as const satisfies Record<Happened['kind'], string>

export const isKind = (text: string | undefined): text is Happened['kind'] =>
  text !== undefined && text in kindNames

/** In the order of the rows, which are the newest first. */
export const byDay = (
  rows: readonly Happened[],
): readonly { readonly day: Date; readonly rows: readonly Happened[] }[] => {
  const days: { day: Date; rows: Happened[] }[] = []
  for (const row of rows) {
    const day = new Date(row.at)
    day.setHours(0, 0, 0, 0)
    const last = days.at(-1)
    if (last?.day.getTime() === day.getTime()) last.rows.push(row)
    else days.push({ day, rows: [row] })
  }
  return days
}

/** How many rows, or news of rows, are not shown yet. */
export const countNew = (shown: readonly Happened[], newest: readonly Happened[]): number => {
  const shownRows = new Set(shown.map(({ id, at }) => `${id} ${at}`))
  return newest.filter(({ id, at }) => !shownRows.has(`${id} ${at}`)).length
}
