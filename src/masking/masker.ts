// Hides secrets in text and in byte streams. All occurrences of all patterns are hidden: their union,
// not only the leftmost longest, so that no part of overlapping secrets stays. The output does not
// depend on how a stream is cut into chunks.
import { createLineSearch, lettersBefore, type HeldTail, type LineSearch } from './broken-lines.ts'
import { maskPatterns } from './patterns.ts'
import { createSearch, joinRanges, type Ranges, type Search } from './search.ts'

export const mark = '***REDACTED***'
const markBytes = Buffer.from(mark)
/**
 * A held tail of up to this many bytes reveals too little to matter. So it may be shown at once, as for
 * a prompt.
 */
const maxShownTail = 3

export interface MaskStream {
  /**
   * Returns the text that is decided after `chunk`; the rest is held back. The result may share memory
   * with `chunk`.
   */
  write(chunk: Buffer): Buffer
  /** For a pause in the stream: returns a held tail of 3 bytes or less; a longer one stays held. */
  flush(): Buffer
  /** Returns the rest. A tail of 4 bytes or more that begins like a secret is hidden. */
  end(): Buffer
}

export interface Masker {
  /** Hides every secret in a whole text. Mask before you cut a text: a cut secret is not recognized. */
  mask(text: string): string
  /** A masker for one stream. Stdout and stderr, and each container, need one each. */
  stream(): MaskStream
  /** Number of patterns; 0 means that nothing is hidden. */
  readonly count: number
}

/** A masker for these values. Building takes about 10 µs for each pattern. */
export const createMasker = (values: readonly Buffer[]): Masker => {
  const patterns = maskPatterns(values)
  const search = createSearch(patterns)
  const searches: Searches = { search, lineSearch: createLineSearch(search) }
  return {
    mask: (text) => maskText(searches, text),
    stream: () => createStream(searches),
    count: patterns.length,
  }
}

interface Searches {
  readonly search: Search
  readonly lineSearch: LineSearch
}

const union = (some: Ranges, more: Ranges): Ranges =>
  more.length === 0 ? some : joinRanges([...some, ...more])

const maskText = ({ search, lineSearch }: Searches, text: string): string => {
  const bytes = Buffer.from(text, 'utf8')
  const ranges = union(search.find(bytes), lineSearch(bytes, 0).ranges)
  if (ranges.length === 0) return text
  return replace(bytes, ranges, { from: 0, to: bytes.length, afterMark: false }).bytes.toString(
    'utf8',
  )
}

interface Span {
  /** Earlier bytes were returned already. */
  readonly from: number
  /** Later bytes are held. */
  readonly to: number
  /** The last output is a mark, which ends at `from`. */
  readonly afterMark: boolean
}

/** The text between `from` and `to`, with one mark for each range that begins before `to`. */
const replace = (
  text: Buffer,
  ranges: Ranges,
  { from, to, afterMark }: Span,
): { bytes: Buffer; afterMark: boolean; reached: number } => {
  const parts: Buffer[] = []
  let offset = from
  let open = afterMark
  const plain = (until: number): void => {
    if (until <= offset) return
    parts.push(text.subarray(offset, until))
    offset = until
    open = false
  }
  for (let i = 0; i < ranges.length; i += 2) {
    const [start, end] = [ranges[i]!, ranges[i + 1]!]
    if (start >= to) break
    if (end <= offset) continue
    plain(start)
    if (!open) parts.push(markBytes)
    offset = end
    open = true
  }
  plain(to)
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  return { bytes, afterMark: open, reached: offset }
}

/** The end of a text that is held back because it may be the beginning of a secret. */
export const tailOf = (length: number, bytes: number, lines: HeldTail | undefined): HeldTail => {
  const plain = { from: length - bytes, to: length, bytes }
  if (lines === undefined) return plain
  if (bytes === 0) return lines
  return {
    from: Math.min(plain.from, lines.from),
    to: length,
    bytes: Math.max(bytes, lines.bytes),
  }
}

const createStream = ({ search, lineSearch }: Searches): MaskStream => {
  let held: Buffer = Buffer.alloc(0)
  /** The part of `held` that may belong to a secret. */
  let tail: HeldTail = { from: 0, to: 0, bytes: 0 }
  /** Number of base64 characters right before `held`. */
  let before = 0
  /** Number of first bytes of `held` that were shown by a flush, or are covered by a printed mark. */
  let done = 0
  /** The last output is a mark that ends at byte `done`. */
  let afterMark = false

  /** Returns the text before `cut` and holds the rest. */
  const advance = (text: Buffer, ranges: Ranges, cut: number): Buffer => {
    const result = replace(text, ranges, { from: done, to: Math.max(cut, done), afterMark })
    afterMark = result.afterMark
    done = Math.max(result.reached - cut, 0)
    before = lettersBefore(text, cut, before)
    held = cut === text.length ? Buffer.alloc(0) : Buffer.from(text.subarray(cut))
    return result.bytes
  }

  return {
    write: (chunk) => {
      const text = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const inLines = lineSearch(text, before)
      const found = union(search.find(text), inLines.ranges)
      tail = tailOf(text.length, search.heldSuffix(text), inLines.held)
      const certain = advance(text, found, tail.from)
      tail = { from: 0, to: tail.to - tail.from, bytes: tail.bytes }
      return certain
    },
    flush: () => {
      if (tail.bytes > maxShownTail) return Buffer.alloc(0)
      const shown = held.subarray(done)
      if (shown.length > 0) afterMark = false
      done = held.length
      return shown
    },
    end: () => {
      const ranges = tail.bytes > maxShownTail ? [0, tail.to] : []
      return advance(held, ranges, held.length)
    },
  }
}
