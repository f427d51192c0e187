// How sure it is that a client of an old credential was seen: what was looked for says what it could not see. Pure.

interface Use {
  readonly looks: number
  readonly watchedMs?: number | undefined
}

const sure = 0.95

/** Whoever logs in at least so often (ms) was seen with this certainty; undefined where each look was one moment. */
const seenEveryMs = ({ looks, watchedMs = 0 }: Use): number | undefined =>
  watchedMs === 0 ? undefined : watchedMs / looks / (1 - (1 - sure) ** (1 / looks))

/** In words. Two looks at uneven times know nothing of each other: a client is unseen with the product of both. */
export const surelySeen = (use: Use): string => {
  const every = seenEveryMs(use)
  if (every === undefined) return 'what comes and goes between two looks may be unseen'
  const seconds = Math.floor(every / 1000)
  return seconds < 1
    ? `what logs in less often than each second may be unseen`
    : `who logs in at least every ${String(seconds)} s is seen with ${String(sure * 100)} %, less often with less`
}
