// How soon a report of an agent is looked at. What one run writes, status, events and rows of activity, may be many times the
// report: one machine must not make others wait, or fill the database. The newest report counts, so none is lost.
import type { Clock } from '../../src/kernel/clock.ts'

/** More than a rollout makes at once. */
const atOnce = 40
const everyMs = 1_000

const mostKnown = 20_000

/** In how many ms a stagelet may be reconciled for a report that has come now. */
export const createReportPace = (
  clock: Pick<Clock, 'monotonic'>,
): ((stagelet: string) => number) => {
  /** By stagelet, when its last run was or is due, had they come evenly. */
  const due = new Map<string, number>()
  return (stagelet) => {
    const now = clock.monotonic()
    const rested = now - atOnce * everyMs
    const last = due.get(stagelet) ?? rested
    // A run that is to come looks at this report too.
    if (last > now) return last - now
    if (due.size >= mostKnown) for (const [other, at] of due) if (at <= rested) due.delete(other)
    const next = Math.max(last, rested) + everyMs
    due.set(stagelet, next)
    return Math.max(0, next - now)
  }
}
