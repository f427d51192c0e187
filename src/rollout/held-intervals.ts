// In which intervals containers of a service held a version of a secret, by the rollouts that are kept. What was not
// measured is told as bounds, or as an interval that is not certain: none that may have been is left out. Pure.

export interface RolloutFacts {
  /** The revision that was to run. */
  readonly revision: number
  readonly startedAt: string
  /** Absent while it goes on, or where nobody knows. */
  readonly finishedAt?: string | undefined
  /** Healthy: what the service did is known. RolledBack: it went back after that. */
  readonly result: string
  /** Absent: nobody knows what the service did. */
  readonly what?: 'recreated' | 'cascaded' | 'restarted' | 'untouched' | undefined
  /** When the container that was there at the end started. */
  readonly since?: string | undefined
}

interface Bounds {
  /** RFC 3339: not before, and not after. */
  readonly earliest: string
  readonly latest: string
}

export interface HeldInterval {
  readonly from: Bounds
  /** Absent: as far as anything was told, it holds it still. */
  readonly until?: Bounds
  /** True: it held it from `from.latest` to `until.earliest`. False: it may have, and nobody knows. */
  readonly certain: boolean
}

type Open = Omit<HeldInterval, 'until'>

const isUnchanged = ({ result, what }: RolloutFacts): boolean =>
  result === 'Healthy' && (what === 'untouched' || what === 'restarted')

/** When the new container was made, where that is known. */
const madeIn = ({ result, what, since, startedAt }: RolloutFacts): Bounds | undefined =>
  result === 'Healthy' && (what === 'recreated' || what === 'cascaded') && since !== undefined
    ? { earliest: startedAt, latest: since }
    : undefined

/** Rollouts come the oldest first. `holds`: a container that is made at the revision gets the version. */
export const heldIntervals = (
  rollouts: readonly RolloutFacts[],
  holds: (revision: number) => boolean,
): HeldInterval[] => {
  const held: HeldInterval[] = []
  let open: Open | undefined
  const close = (until: Bounds): void => {
    if (open !== undefined) held.push({ ...open, until })
    open = undefined
  }
  for (const [i, facts] of rollouts.entries()) {
    const { revision, startedAt, result, since } = facts
    const end = facts.finishedAt ?? rollouts[i + 1]?.startedAt
    if (isUnchanged(facts)) continue
    const made = madeIn(facts)
    if (made !== undefined) {
      close(made)
      if (holds(revision)) open = { from: made, certain: true }
      continue
    }
    // Nobody knows what ran within: the old container, the new one, or first the one and then the other.
    const before = open
    const mayHold = before?.certain === false
    if (mayHold || (before === undefined && !holds(revision))) continue
    const within: Open = { from: { earliest: startedAt, latest: startedAt }, certain: false }
    if (before !== undefined) close({ earliest: startedAt, latest: startedAt })
    open = within
    if (result !== 'RolledBack' || end === undefined) continue
    // It runs again what it ran before.
    close({ earliest: end, latest: end })
    if (before !== undefined)
      open = { from: { earliest: startedAt, latest: since ?? end }, certain: before.certain }
  }
  return open === undefined ? held : [...held, open]
}

/** A container as the engine's events tell of it: it holds its values from when it is made until it is removed. */
interface ContainerLife {
  /** Absent: nobody saw that. */
  readonly made?: string | undefined
  readonly removed?: string | undefined
  /** When it was last told to be there. */
  readonly thereAt: string
  /** Looked for at this time, and not found: nobody saw when it went. */
  readonly missedAt?: string | undefined
}

/** `notBefore`: when the version was written. */
export const lifeInterval = (
  { made, removed, thereAt, missedAt }: ContainerLife,
  notBefore: string,
): Omit<HeldInterval, 'certain'> => {
  const from =
    made === undefined
      ? { earliest: notBefore, latest: removed ?? thereAt }
      : { earliest: made, latest: made }
  if (removed !== undefined) return { from, until: { earliest: removed, latest: removed } }
  if (missedAt === undefined) return { from }
  return { from, until: { earliest: thereAt, latest: missedAt } }
}

/** What rollouts tell of the time before the first container whose life is known: an older agent told no more. */
export const intervalsBefore = (
  measuredFrom: string | undefined,
  rollouts: readonly RolloutFacts[],
  holds: (revision: number) => boolean,
): HeldInterval[] => {
  if (measuredFrom === undefined) return heldIntervals(rollouts, holds)
  const first = Date.parse(measuredFrom)
  const endOf = (i: number): string | undefined =>
    rollouts[i]?.finishedAt ?? rollouts[i + 1]?.startedAt
  const count = rollouts.findIndex((_, i) => !(Date.parse(endOf(i) ?? '') < first))
  const next = rollouts[count]?.startedAt ?? measuredFrom
  const earliest = Date.parse(next) < first ? next : measuredFrom
  const before = count === -1 ? rollouts : rollouts.slice(0, count)
  return heldIntervals(before, holds).map((held) => ({
    ...held,
    until: held.until ?? { earliest, latest: measuredFrom },
  }))
}
