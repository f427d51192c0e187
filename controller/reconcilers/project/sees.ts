// Whether a service sees a secret in a set: because it wins there, or because what wins refers to it.
import type { ServiceViewer } from '../../../src/secrets/place.ts'
import { createDependencies } from '../../../src/secrets/references.ts'
import { winnersFor, type SetEntry } from '../../../src/secrets/set-entry.ts'

interface KeyIndex {
  readonly byKey: ReadonlyMap<string, readonly SetEntry[]>
  /** Keys of which some secret refers to others. */
  readonly referring: readonly string[]
}

const indices = new WeakMap<readonly SetEntry[], KeyIndex>()

const indexOf = (entries: readonly SetEntry[]): KeyIndex => {
  const cachedIndex = indices.get(entries)
  if (cachedIndex !== undefined) return cachedIndex
  const byKey = new Map<string, SetEntry[]>()
  const referring = new Set<string>()
  for (const entry of entries) {
    byKey.set(entry.key, [...(byKey.get(entry.key) ?? []), entry])
    if (entry.references !== undefined) referring.add(entry.key)
  }
  const made = { byKey, referring: [...referring] }
  indices.set(entries, made)
  return made
}

/** The secret in the set; undefined: it is not there. */
export const entryIn = (
  entries: readonly SetEntry[],
  { key, secretId }: Pick<SetEntry, 'key' | 'secretId'>,
): SetEntry | undefined =>
  indexOf(entries)
    .byKey.get(key)
    ?.find((entry) => entry.secretId === secretId)

export const seesIn = (
  entries: readonly SetEntry[],
  { stagelet, service }: ServiceViewer,
  entry: SetEntry,
): boolean => {
  const { byKey, referring } = indexOf(entries)
  const winnerOf = (key: string): SetEntry | undefined =>
    winnersFor(service, stagelet, byKey.get(key) ?? []).get(key)
  if (winnerOf(entry.key) === entry) return true
  if (referring.length === 0) return false
  const reach = createDependencies(entries, stagelet)
  return referring.some((key) => {
    const winner = winnerOf(key)
    return winner !== undefined && reach(winner).includes(entry)
  })
}
