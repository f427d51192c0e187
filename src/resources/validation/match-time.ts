// How long patterns may take to match. Matching blocks the whole process.

/** Time limit of one pattern. */
const patternMs = 250
/** On a busy machine a match may wait for longer than it computes. It is then tried once more. */
const mostTries = 2
/** In total, patterns may take one second at once, and later a twentieth of the time. */
const mostMs = 1_000
const share = 0.05
/** Time limit when that is used up: more than a pattern without backtracking takes. */
const leastMs = 20

interface Meters {
  /** ms; never goes back. */
  readonly now: () => number
  /** CPU time that this process has taken, in ms. */
  readonly cpu: () => number
}

export const processMeters: Meters = {
  now: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1_000
  },
}

export type Matched =
  { readonly found: boolean } | { readonly limitMs: number; readonly isShort: boolean }

/** `match` gets its time limit in ms, and throws where that is over. */
type MatchTime = (match: (ms: number) => boolean) => Matched

export const createMatchTime = ({ now, cpu }: Meters): MatchTime => {
  let spare = { ms: mostMs, measuredAt: now() }

  const matchWithin = (limitMs: number, match: (ms: number) => boolean): Matched => {
    for (let tries = 1; ; tries += 1) {
      const begun = cpu()
      try {
        return { found: match(limitMs) }
      } catch {
        const wasWaiting = cpu() - begun < limitMs / 2
        if (!wasWaiting || tries === mostTries) return { limitMs, isShort: limitMs < patternMs }
      }
    }
  }

  return (match) => {
    const [begun, begunAt] = [cpu(), now()]
    const ms = Math.min(mostMs, spare.ms + (begunAt - spare.measuredAt) * share)
    const limitMs = Math.min(patternMs, Math.max(leastMs, Math.floor(ms)))
    try {
      return matchWithin(limitMs, match)
    } finally {
      const endedAt = now()
      // A second try blocks the process once more, whether it computes or waits.
      const spent = Math.max(cpu() - begun, endedAt - begunAt - limitMs)
      spare = { ms: Math.max(0, ms - spent), measuredAt: endedAt }
    }
  }
}
