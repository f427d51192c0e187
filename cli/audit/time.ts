// Times as people write them on a command line.
import { InvalidArgumentError } from 'commander'
import { realClock } from '../../src/kernel/clock.ts'

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const day = /^\d{4}-\d\d-\d\d$/
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** `24h`, `7d` and `30m` count back from now; a date is its beginning in UTC. Returns RFC 3339. */
export const toInstant = (text: string, _previous?: unknown, now = realClock.now()): string => {
  const ago = /^(\d+)([mhd])$/.exec(text)
  if (ago !== null) {
    return new Date(now - Number(ago[1]) * units[ago[2] as keyof typeof units]).toISOString()
  }
  const ms = day.test(text) || instant.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError('use a day (2026-01-31), a time (2026-01-31T10:00:00Z) or 24h.')
  }
  return new Date(ms).toISOString()
}
