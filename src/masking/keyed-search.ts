// The masker's search for values that have keys: each pattern leads to the keys whose values it shows.
import { createLineSearch, type LineSearch } from './broken-lines.ts'
import { maskPatterns } from './patterns.ts'
import { createSearch, type Search } from './search.ts'

export interface KeyedValue {
  readonly key: string
  readonly value: Buffer
}

interface KeyedSearch {
  readonly search: Search
  readonly lineSearch: LineSearch
  readonly keysOf: (pattern: Buffer) => ReadonlySet<string>
}

const none: ReadonlySet<string> = new Set()

/** A key may have several values, and several keys the same: then each of them is found. */
export const createKeyedSearch = (
  values: readonly KeyedValue[],
  patternsOf: typeof maskPatterns = maskPatterns,
): KeyedSearch => {
  const owned = new Map<string, { pattern: Buffer; keys: Set<string> }>()
  for (const { key, value } of values)
    for (const pattern of patternsOf([value])) {
      const text = pattern.toString('latin1')
      const owner = owned.get(text) ?? { pattern, keys: new Set<string>() }
      owner.keys.add(key)
      owned.set(text, owner)
    }
  const owners = [...owned.values()]
  const keys = new Map(owners.map((owner) => [owner.pattern, owner.keys]))
  const search = createSearch(owners.map(({ pattern }) => pattern))
  return {
    search,
    lineSearch: createLineSearch(search),
    keysOf: (pattern) => keys.get(pattern) ?? none,
  }
}
