// Finds all patterns in one pass over the bytes: Wu-Manber with 3-byte blocks. Each pattern is found by
// its rarest 8-byte window (its anchor). So a common prefix of all secrets, such as
// `postgresql://app:`, costs nothing. The tables take 1 MiB, whatever the number of patterns.
import { minPatternBytes } from './min-pattern-bytes.ts'

const window = minPatternBytes
const blockBits = 18
const blockMask = (1 << blockBits) - 1
const maxShift = window - 2
const prefixBits = 18
/**
 * An anchor is chosen among this many first windows: enough to skip a common prefix, and cheap to
 * build.
 */
const anchorChoices = 96

/** Half-open ranges [start, end), flat: start0, end0, start1, … Ordered, disjoint, not adjacent. */
export type Ranges = readonly number[]

/** `pattern` is one of those that the search was made of. */
export type TakeOccurrence = (start: number, end: number, pattern: Buffer) => void

export interface Search {
  /** Union of all occurrences that lie wholly within `text`; adjacent ones are joined. */
  find(text: Uint8Array): Ranges
  /** Every occurrence of every pattern that lies wholly within `text`, overlapping ones too. */
  occurrences(text: Uint8Array, take: TakeOccurrence): void
  /** Length of the longest suffix of `text` that is a proper prefix of a pattern. */
  heldSuffix(text: Buffer): number
}

interface Anchored {
  readonly pattern: Buffer
  readonly offset: number
}

/** Patterns whose anchors are the same 8 bytes, longest first. */
interface Group {
  readonly low: number
  readonly high: number
  readonly members: Anchored[]
}

/** Patterns must be distinct and 8 to 65,535 bytes long. */
export const createSearch = (patterns: readonly Buffer[]): Search => {
  const shifts = new Uint8Array(1 << blockBits).fill(maxShift)
  const groups = new Map<number, Group[]>()
  for (const anchored of anchor(patterns)) {
    addShifts(shifts, anchored)
    addToGroup(groups, anchored)
  }
  for (const bucket of groups.values()) {
    for (const group of bucket) group.members.sort((a, b) => b.pattern.length - a.pattern.length)
  }
  const scan = (text: Uint8Array, take: TakeAnchor): void =>
    scanAnchors(text, { shifts, groups }, take)
  return {
    find: (text) => {
      const found: number[] = []
      scan(text, (index, group) => verify(text, index, group, found))
      return joinRanges(found)
    },
    occurrences: (text, take) =>
      scan(text, (index, { members }) => {
        for (const { pattern, offset } of members) {
          const start = index - offset
          if (isAt(text, start, pattern)) take(start, start + pattern.length, pattern)
        }
      }),
    heldSuffix: createHeldSuffix(patterns),
  }
}

const blockHash = (a: number, b: number, c: number): number =>
  ((a << 10) ^ (b << 5) ^ c) & blockMask

const word = (text: Uint8Array, index: number): number =>
  text[index]! | (text[index + 1]! << 8) | (text[index + 2]! << 16) | (text[index + 3]! << 24)

const windowHash = (low: number, high: number): number =>
  Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) | 0

const anchor = (patterns: readonly Buffer[]): Anchored[] => {
  const countBits = 20
  const counts = new Uint16Array(1 << countBits)
  const slot = (p: Buffer, index: number): number =>
    windowHash(word(p, index), word(p, index + 4)) >>> (32 - countBits)
  const choices = (p: Buffer): number => Math.min(p.length - window + 1, anchorChoices)
  for (const p of patterns) {
    for (let index = 0; index < choices(p); index++) {
      const s = slot(p, index)
      if (counts[s]! < 0xffff) counts[s]!++
    }
  }
  return patterns.map((pattern) => {
    let offset = 0
    for (let index = 1; index < choices(pattern); index++) {
      if (counts[slot(pattern, index)]! < counts[slot(pattern, offset)]!) offset = index
    }
    return { pattern, offset }
  })
}

const addShifts = (shifts: Uint8Array, { pattern, offset }: Anchored): void => {
  for (let end = offset + 2; end < offset + window; end++) {
    const hash = blockHash(pattern[end - 2]!, pattern[end - 1]!, pattern[end]!)
    const shift = offset + window - 1 - end
    if (shift < shifts[hash]!) shifts[hash] = shift
  }
}

const addToGroup = (groups: Map<number, Group[]>, anchored: Anchored): void => {
  const low = word(anchored.pattern, anchored.offset)
  const high = word(anchored.pattern, anchored.offset + 4)
  const hash = windowHash(low, high)
  const bucket = groups.get(hash) ?? []
  if (bucket.length === 0) groups.set(hash, bucket)
  const group = bucket.find((g) => g.low === low && g.high === high)
  if (group === undefined) bucket.push({ low, high, members: [anchored] })
  else group.members.push(anchored)
}

/** `at`: where the anchor of the group begins. */
type TakeAnchor = (index: number, group: Group) => void

interface Tables {
  readonly shifts: Uint8Array
  readonly groups: ReadonlyMap<number, Group[]>
}

const scanAnchors = (text: Uint8Array, { shifts, groups }: Tables, take: TakeAnchor): void => {
  const length = text.length
  let end = window - 1
  while (end < length) {
    const shift = shifts[blockHash(text[end - 2]!, text[end - 1]!, text[end]!)]!
    if (shift !== 0) {
      end += shift
      continue
    }
    const low = word(text, end - 7)
    const high = word(text, end - 3)
    const bucket = groups.get(windowHash(low, high))
    if (bucket !== undefined) {
      for (const group of bucket) {
        if (group.low === low && group.high === high) take(end - window + 1, group)
      }
    }
    end++
  }
}

const verify = (text: Uint8Array, index: number, group: Group, found: number[]): void => {
  for (const { pattern, offset } of group.members) {
    const start = index - offset
    const end = start + pattern.length
    const last = found.length - 1
    // An occurrence inside the last range adds nothing.
    if (last > 0 && start >= found[last - 1]! && end <= found[last]!) continue
    if (!isAt(text, start, pattern)) continue
    if (last > 0 && start >= found[last - 1]! && start <= found[last]!) found[last] = end
    else found.push(start, end)
  }
}

const isAt = (text: Uint8Array, start: number, pattern: Buffer): boolean => {
  if (start < 0 || start + pattern.length > text.length) return false
  for (let i = 0; i < pattern.length; i++) if (text[start + i] !== pattern[i]) return false
  return true
}

/**
 * Sorts and joins ranges: an anchor may lie anywhere in a pattern, so that a later hit may start
 * earlier.
 */
export const joinRanges = (found: readonly number[]): Ranges => {
  if (found.length <= 2) return found
  const ranges: [number, number][] = []
  for (let i = 0; i < found.length; i += 2) ranges.push([found[i]!, found[i + 1]!])
  ranges.sort((a, b) => a[0] - b[0])
  const result: number[] = [...ranges[0]!]
  for (const [start, end] of ranges) {
    const last = result.length - 1
    if (start > result[last]!) result.push(start, end)
    else if (end > result[last]!) result[last] = end
  }
  return result
}

/** Cheap tests first: few suffixes are the beginning of a longer pattern. */
const createHeldSuffix = (patterns: readonly Buffer[]): Search['heldSuffix'] => {
  const sorted = [...patterns].sort((a, b) => Buffer.compare(a, b))
  const longest = patterns.reduce((max, p) => Math.max(max, p.length), 0)
  // For each hash of four first bytes: the length of the longest pattern that begins with them.
  const reach = new Uint16Array(1 << prefixBits)
  const slot = (text: Buffer, index: number): number =>
    Math.imul(word(text, index), 0x9e3779b1) >>> (32 - prefixBits)
  for (const p of patterns) {
    const s = slot(p, 0)
    if (p.length > reach[s]!) reach[s] = p.length
  }
  const short = new Set(patterns.flatMap((p) => [1, 2, 3].map((n) => p.toString('latin1', 0, n))))

  const isProperPrefix = (suffix: Buffer): boolean => {
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare(sorted[middle]!, suffix) < 0) low = middle + 1
      else high = middle
    }
    if (sorted[low]?.equals(suffix) === true) low++
    return sorted[low]?.subarray(0, suffix.length).equals(suffix) === true
  }

  return (text) => {
    const { length } = text
    for (let index = Math.max(0, length - longest + 1); index <= length - 4; index++) {
      if (reach[slot(text, index)]! > length - index && isProperPrefix(text.subarray(index)))
        return length - index
    }
    for (let held = Math.min(3, length); held > 0; held--) {
      if (short.has(text.toString('latin1', length - held))) return held
    }
    return 0
  }
}
