// What a change of secrets concerns, by their references: pure. A write checks this much, not the whole project.
import { keyOfReference } from '../../secrets/references.ts'
import type { SetEntry } from '../../secrets/visible.ts'

type Referring = Pick<SetEntry, 'key' | 'references'>

/** The keys that lead on from each key. */
type Links = ReadonlyMap<string, readonly string[]>

export interface References {
  /** By key, the keys that its values refer to. */
  readonly targets: Links
  /** By key, the keys whose values refer to it. */
  readonly sources: Links
}

const add = (links: Map<string, string[]>, from: string, to: string): void => {
  const linked = links.get(from)
  if (linked === undefined) links.set(from, [to])
  else linked.push(to)
}

export const linksOf = (referring: readonly Referring[]): References => {
  const targets = new Map<string, string[]>()
  const sources = new Map<string, string[]>()
  for (const { key, references = [] } of referring) {
    for (const target of references.map(keyOfReference)) {
      add(targets, key, target)
      add(sources, target, key)
    }
  }
  return { targets, sources }
}

const follow = (keys: Iterable<string>, links: Links): Set<string> => {
  const found = new Set(keys)
  // A set may grow while it is read: each key is visited once.
  for (const key of found) for (const next of links.get(key) ?? []) found.add(next)
  return found
}

/** `keys`, and the keys of secrets that refer to one of them, directly or through others. */
export const keysReached = (keys: Iterable<string>, { sources }: References): Set<string> =>
  follow(keys, sources)

/** `keys`, and all keys that their values are made of. */
export const keysNeeded = (keys: Iterable<string>, { targets }: References): Set<string> =>
  follow(keys, targets)
