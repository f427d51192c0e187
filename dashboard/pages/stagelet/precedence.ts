// Why a service has a value: the ranks of precedence of one key, who won, and what the value refers to. Pure;
// it asks the same function that the controller and the agent use.
import { createResolver } from '../../../src/secrets/references.ts'
import { environmentSet, type LaidOut } from '../../../src/secrets/environment-set.ts'
import { emptyLayout, environmentOf, type Layout } from '../../../src/secrets/layout.ts'
import { everyService, reaches } from '../../../src/secrets/place.ts'
import { winnersFor, type ProjectEntry, type SetEntry } from '../../../src/secrets/set-entry.ts'

export interface Rank {
  readonly number: number
  /** Where a secret of this rank is stored. */
  readonly place: string
  readonly entry: ProjectEntry | undefined
  readonly won: boolean
  /** Rank of the winner, where this one loses. */
  readonly losesTo: number | undefined
}

/** A value and the values that it refers to. */
export interface Reference {
  /** With the environments that it names. */
  readonly entry: ProjectEntry
  readonly refersTo: readonly Reference[]
}

export interface Why {
  readonly ranks: readonly Rank[]
  /** The Compose file or an env file sets the key too. */
  readonly composeSets: boolean
  readonly composeWins: boolean
  readonly chain: Reference | undefined
  /** Why the references cannot be followed. */
  readonly broken: string | undefined
}

interface PrecedenceQuery {
  readonly service: string
  readonly stagelet: string
  readonly key: string
  readonly composeKeys: readonly string[]
}

const chainOf = (
  { entries, visible }: { entries: readonly ProjectEntry[]; visible: readonly SetEntry[] },
  stagelet: string,
  winner: SetEntry,
): Pick<Why, 'chain' | 'broken'> => {
  const stored = new Map(entries.map((entry) => [entry.secretId, entry]))
  const follow = createResolver<SetEntry, Reference>(visible, stagelet, (entry, refersTo) => ({
    entry: stored.get(entry.secretId) ?? entry,
    refersTo,
  }))
  try {
    return { chain: follow(winner), broken: undefined }
  } catch (error) {
    return { chain: undefined, broken: error instanceof Error ? error.message : '' }
  }
}

/** Where secrets of a key may be that the service sees, the highest rank first. */
const placesFor = (
  { service, stagelet }: PrecedenceQuery,
  layout: Layout,
): { place: string; scope: string; isHere: (entry: ProjectEntry) => boolean }[] => {
  const environment = environmentOf(layout, stagelet)
  const owners: readonly [string | undefined, (entry: ProjectEntry) => boolean][] = [
    [stagelet, (entry) => entry.stagelet === stagelet],
    [environment, ({ environments = [] }) => environments.some((name) => name === environment)],
    [
      reaches({}, stagelet, layout) ? 'project' : undefined,
      (entry) => entry.stagelet === undefined && entry.environments === undefined,
    ],
  ]
  return owners.flatMap(([owner, isHere]) =>
    owner === undefined
      ? []
      : [service, everyService].map((scope) => ({ place: `${owner} · ${scope}`, scope, isHere })),
  )
}

export const explainKey = (set: LaidOut, query: PrecedenceQuery): Why => {
  const { service, stagelet, key, composeKeys } = query
  const { entries, layout = emptyLayout } = set
  const visible = environmentSet(set, stagelet)
  const winner = winnersFor(service, stagelet, visible).get(key)
  const places = placesFor(query, layout)
  const found = places.map(({ scope, isHere }) =>
    entries.find((entry) => entry.key === key && entry.scope === scope && isHere(entry)),
  )
  const winning = found.findIndex(
    (entry) => entry !== undefined && entry.secretId === winner?.secretId,
  )
  const ranks = places.map(({ place }, index): Rank => {
    const entry = found[index]
    const loses = entry !== undefined && index !== winning
    return {
      number: index + 1,
      place,
      entry,
      won: index === winning,
      losesTo: loses ? winning + 1 : undefined,
    }
  })
  const composeSets = composeKeys.includes(key)
  return {
    ranks,
    composeSets,
    composeWins: composeSets && winner === undefined,
    ...(winner === undefined
      ? { chain: undefined, broken: undefined }
      : chainOf({ entries, visible }, stagelet, winner)),
  }
}
