// Why a service has a value: the five ranks of precedence of one key, who won, and what the value refers to. Pure;
// it asks the same function that the controller and the agent use.
import { createResolver } from '../../../src/secrets/references.ts'
import { winnersFor, type SetEntry } from '../../../src/secrets/set-entry.ts'

export interface Rank {
  readonly rank: number
  /** Where a secret of this rank is stored. */
  readonly place: string
  readonly entry: SetEntry | undefined
  readonly won: boolean
  /** Rank of the winner, where this one loses. */
  readonly losesTo: number | undefined
}

/** A value and the values that it refers to. */
export interface Reference {
  readonly entry: SetEntry
  readonly refersTo: readonly Reference[]
}

export interface Why {
  readonly rungs: readonly Rank[]
  /** The Compose file or an env file sets the key too. */
  readonly composeSets: boolean
  readonly composeWins: boolean
  readonly chain: Reference | undefined
  /** Why the references cannot be followed. */
  readonly broken: string | undefined
}

export interface PrecedenceQuery {
  readonly service: string
  readonly stagelet: string
  readonly key: string
  readonly composeKeys: readonly string[]
}

const chainOf = (
  entries: readonly SetEntry[],
  stagelet: string,
  winner: SetEntry,
): Pick<Why, 'chain' | 'broken'> => {
  const follow = createResolver<SetEntry, Reference>(entries, stagelet, (entry, refersTo) => ({
    entry,
    refersTo,
  }))
  try {
    return { chain: follow(winner), broken: undefined }
  } catch (error) {
    return { chain: undefined, broken: error instanceof Error ? error.message : '' }
  }
}

export const explainKey = (
  entries: readonly SetEntry[],
  { service, stagelet, key, composeKeys }: PrecedenceQuery,
): Why => {
  const winner = winnersFor(service, stagelet, entries).get(key)
  const places = [
    { place: `${stagelet} · ${service}`, owner: stagelet, scope: service },
    { place: `${stagelet} · global`, owner: stagelet, scope: 'global' },
    { place: `project · ${service}`, owner: undefined, scope: service },
    { place: 'project · global', owner: undefined, scope: 'global' },
  ]
  const found = places.map(({ owner, scope }) =>
    entries.find((entry) => entry.key === key && entry.stagelet === owner && entry.scope === scope),
  )
  const winning = winner === undefined ? -1 : found.indexOf(winner)
  const rungs = places.map(({ place }, index): Rank => {
    const entry = found[index]
    const loses = entry !== undefined && index !== winning
    return {
      rank: index + 1,
      place,
      entry,
      won: index === winning,
      losesTo: loses ? winning + 1 : undefined,
    }
  })
  const composeSets = composeKeys.includes(key)
  return {
    rungs,
    composeSets,
    composeWins: composeSets && winner === undefined,
    ...(winner === undefined
      ? { chain: undefined, broken: undefined }
      : chainOf(entries, stagelet, winner)),
  }
}
