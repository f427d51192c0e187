// How a report on access writes times, rules and rows of the audit log. Pure.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { Span } from './spans.ts'
import type { KeptPolicy } from './timeline.ts'

export const spanFields = ({ from, to }: Span): { from?: string; until?: string } => ({
  ...(from > 0 && { from: toTimestamp(from) }),
  ...(to < Infinity && { until: toTimestamp(to) }),
})

/** `3`, or `3-5` for rows side by side. */
export const seqTexts = (seqs: readonly number[]): string[] => {
  const runs: [number, number][] = []
  for (const seq of [...new Set(seqs)].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last?.[1] === seq - 1) last[1] = seq
    else runs.push([seq, seq])
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
}

export const rulesText = ({
  request,
  approvals = {},
  machines = [],
  afterUse = 'MarkDue',
  breakGlass,
}: KeptPolicy): string => {
  const { count = 1, roles, users = 0 } = approvals
  const usual = roles === undefined && users === 0 ? ['owner', 'maintainer'] : []
  const who = [...(roles ?? usual), ...(users > 0 ? [`${users} by name`] : [])]
  return [
    `${count} of ${who.join(', ')} approve`,
    `for ${request?.maxDuration ?? '1h'} at most`,
    `after use: ${afterUse}`,
    ...(machines.length > 0 ? [`machines: ${machines.join(', ')}`] : []),
    `emergencies: ${breakGlass?.users ?? 0} people`,
  ].join('; ')
}
