// Counts how often a text shows the values of each key, by the patterns of the masker: where the masker
// would write a mark for a key's values, that key has a hit. Keeps no text.
import { lettersBefore } from './broken-lines.ts'
import { createKeyedSearch, type KeyedValue } from './keyed-search.ts'
import { tailOf } from './masker.ts'
import { minPatternBytes } from './min-pattern-bytes.ts'

interface HitStream {
  write(chunk: Buffer): void
  /** To be called once, after the last write. */
  end(): void
  /** Keys that were shown, and how often. */
  readonly hits: ReadonlyMap<string, number>
}

export interface HitCounter {
  /** A counter for one stream. Stdout and stderr, and each container, need one each. */
  stream(): HitStream
}

/** True for a value that the masker does not hide, as it is too short. An empty one shows nothing. */
export const isUnmaskable = (value: Buffer): boolean =>
  value.length > 0 && value.length < minPatternBytes

interface Occurrence {
  readonly start: number
  readonly end: number
  readonly pattern: Buffer
}

export const createHitCounter = (values: readonly KeyedValue[]): HitCounter => {
  const { search, lineSearch, keysOf } = createKeyedSearch(values)

  const stream = (): HitStream => {
    const hits = new Map<string, number>()
    /** By key, where its last hit ends, in bytes of the stream. */
    const ends = new Map<string, number>()
    let held: Buffer = Buffer.alloc(0)
    /** Number of base64 characters right before `held`. */
    let before = 0
    /** Bytes of the stream before `held`. */
    let offset = 0

    const count = ({ start, end, pattern }: Occurrence): void => {
      for (const key of keysOf(pattern)) {
        const last = ends.get(key) ?? -1
        // Pieces of one value lie next to each other.
        if (offset + start > last) hits.set(key, (hits.get(key) ?? 0) + 1)
        ends.set(key, Math.max(last, offset + end))
      }
    }
    /** Counts what begins before the held tail, or all at the end; what begins in it comes again. */
    const take = (text: Buffer, isLast: boolean): void => {
      const found: Occurrence[] = []
      const add = (start: number, end: number, pattern: Buffer): void => {
        found.push({ start, end, pattern })
      }
      search.occurrences(text, add)
      const lines = lineSearch(text, before, add).held
      const tail = tailOf(text.length, search.heldSuffix(text), lines)
      const cut = isLast ? text.length : tail.from
      for (const hit of found.sort((a, b) => a.start - b.start)) if (hit.start < cut) count(hit)
      before = lettersBefore(text, cut, before)
      offset += cut
      held = Buffer.from(text.subarray(cut))
    }
    return {
      hits,
      write: (chunk) => take(held.length === 0 ? chunk : Buffer.concat([held, chunk]), false),
      end: () => take(held, true),
    }
  }
  return { stream }
}
