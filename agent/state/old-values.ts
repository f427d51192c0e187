// Values that are not in use any more, and are still hidden in texts: how many are kept, and what each costs.

/** What old values may take of the agent's memory, with all that finds them in a text. */
const oldValuesBudget = 8 * 1024 * 1024

/** What a value and its patterns take in a masker, measured with short and long values. */
const costOf = (value: Buffer): number => 5_000 + 40 * value.length

interface Digested {
  readonly valueDigest: string
  readonly plain?: true | undefined
}

/** The entries whose values are hidden: not those that the newest set says are plain, in any set. */
export const hiddenOf = <E extends Digested>(
  newest: readonly E[],
  older: readonly E[] = [],
): {
  readonly newest: readonly E[]
  readonly older: readonly E[]
  readonly shown: ReadonlySet<string>
} => {
  const masked = newest.filter(({ plain }) => plain !== true)
  const hidden = new Set(masked.map(({ valueDigest }) => valueDigest))
  const digests = newest.map(({ valueDigest }) => valueDigest)
  const shown = new Set(digests.filter((digest) => !hidden.has(digest)))
  const isHidden = ({ plain, valueDigest }: E): boolean => plain !== true && !shown.has(valueDigest)
  return { newest: masked, older: older.filter(isHidden), shown }
}

/** How many of the first values have to go, so that the rest is within the budget. The oldest come first. */
export const countSurplus = (values: readonly Buffer[], budget = oldValuesBudget): number => {
  let cost = values.reduce((sum, value) => sum + costOf(value), 0)
  let surplus = 0
  for (; cost > budget && surplus < values.length; surplus++) cost -= costOf(values[surplus]!)
  return surplus
}

/** The value in memory of its own: Node cuts small buffers from larger ones, which each of them holds as a whole. */
export const ownBytes = (value: Buffer): Buffer => {
  if (value.length === value.buffer.byteLength) return value
  const own = Buffer.alloc(value.length)
  value.copy(own)
  return own
}
