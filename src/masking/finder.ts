// Finds values in whole texts, by the patterns of the masker, and says on which lines. Keeps no text.
import { createKeyedSearch, type KeyedValue } from './keyed-search.ts'
import { maskPatterns } from './patterns.ts'

export interface FoundValue {
  readonly key: string
  /** From 1. */
  readonly line: number
}

/** Each key once for each line, in the order of lines. */
export type Finder = (text: Buffer) => FoundValue[]

/** A line of a longer value counts where it is as good as unique: `"token_uri": "https://…"` is in the keys of others too. */
const tellingLine = /[A-Za-z0-9+/=_-]{32,}/

const tellingPatterns: typeof maskPatterns = (values) =>
  maskPatterns(values, (line) => tellingLine.test(line))

const newline = 10

export const createFinder = (values: readonly KeyedValue[]): Finder => {
  const { search, lineSearch, keysOf } = createKeyedSearch(values, tellingPatterns)
  return (text) => {
    const hits: { start: number; pattern: Buffer }[] = []
    const add = (start: number, _end: number, pattern: Buffer): void => {
      hits.push({ start, pattern })
    }
    search.occurrences(text, add)
    lineSearch(text, 0, add)
    const found = new Map<string, FoundValue>()
    let [line, offset] = [1, 0]
    for (const { start, pattern } of hits.sort((a, b) => a.start - b.start)) {
      for (; offset < start; offset++) if (text[offset] === newline) line++
      for (const key of keysOf(pattern)) found.set(`${line} ${key}`, { key, line })
    }
    return [...found.values()]
  }
}
