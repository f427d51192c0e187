// How many test messages a team may send: they go to any address that a Notifier names.
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'

const most = 10
const minuteMs = 60_000

/** Throws where the team has sent its test messages of this minute. */
export const createTestLimit = (clock: Pick<Clock, 'monotonic'>): ((team: string) => void) => {
  const sent = new Map<string, readonly number[]>()
  return (team) => {
    const now = clock.monotonic()
    for (const [caller, times] of sent) {
      const recent = times.filter((at) => at > now - minuteMs)
      if (recent.length === 0) sent.delete(caller)
      else sent.set(caller, recent)
    }
    const times = sent.get(team) ?? []
    if (times.length < most) {
      sent.set(team, [...times, now])
      return
    }
    const retryAfterSeconds = Math.ceil((times[0]! + minuteMs - now) / 1000)
    throw new StagelyError(
      'TooManyRequests',
      `team "${team}" has sent ${most} test messages within a minute: try again in ${retryAfterSeconds} s`,
      { retryAfterSeconds },
    )
  }
}
