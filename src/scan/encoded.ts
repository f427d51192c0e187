// Runs of base64 and of hexadecimal digits in a text, and the bytes that they stand for.
import { isText } from './plain-text.ts'

const signsOf = (alphabets: readonly string[]): Int8Array => {
  const values = new Int8Array(256).fill(-1)
  for (const alphabet of alphabets)
    for (const [i, code] of [...Buffer.from(alphabet)].entries()) values[code] = i
  return values
}
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const base64 = signsOf([`${letters}+/`, `${letters}-_`])
const hex = signsOf(['0123456789abcdef', '0123456789ABCDEF'])

/** Signs of a line of wrapped base64. */
const leastWrapped = 60
const [tab, newline, carriage, blank] = [9, 10, 13, 32]

/** Calls back for each run of at least so many signs of the alphabet. Looks at few bytes between runs. */
const eachRun = (
  bytes: Uint8Array,
  { values, least, from, to }: { values: Int8Array; least: number; from: number; to: number },
  take: (start: number, end: number) => number,
): void => {
  let start = from
  while (start + least <= to) {
    let at = start + least - 1
    while (at >= start && values[bytes[at]!]! >= 0) at--
    if (at >= start) {
      start = at + 1
      continue
    }
    let end = start + least
    while (end < to && values[bytes[end]!]! >= 0) end++
    start = take(start, end) + 1
  }
}

/** Where the next line of wrapped base64 begins; -1 where the run ends here. */
const nextLine = (bytes: Uint8Array, end: number): number => {
  let at = end
  if (bytes[at] === carriage) at++
  if (bytes[at] !== newline) return -1
  at++
  while (bytes[at] === blank || bytes[at] === tab) at++
  return at < bytes.length && base64[bytes[at]!]! >= 0 ? at : -1
}

interface EncodedWanted {
  /** False: nothing of under 16 bytes is looked for. */
  readonly short: boolean
  readonly text: (decoded: Buffer, offset: number) => void
  /** What is no text. The bytes are overwritten afterwards. */
  readonly binary: (decoded: Uint8Array, length: number, offset: number) => void
}

const shortest = 8
/** Bytes of the shortest value that is found in what is no text. */
const shortestBinary = 16
const base64Signs = (bytes: number): number => Math.ceil((bytes * 4) / 3)

let decoded: Uint8Array = new Uint8Array(4096)
let joined: Uint8Array = new Uint8Array(4096)
const room = (have: Uint8Array, length: number): Uint8Array =>
  have.length >= length ? have : new Uint8Array(2 * length)

const fromBase64 = (bytes: Uint8Array, from: number, to: number): number => {
  let [at, length] = [from, 0]
  for (; at + 4 <= to; at += 4) {
    const group =
      (base64[bytes[at]!]! << 18) |
      (base64[bytes[at + 1]!]! << 12) |
      (base64[bytes[at + 2]!]! << 6) |
      base64[bytes[at + 3]!]!
    decoded[length] = group >>> 16
    decoded[length + 1] = group >>> 8
    decoded[length + 2] = group
    length += 3
  }
  const rest = to - at
  if (rest < 2) return length
  const [first, second] = [base64[bytes[at]!]!, base64[bytes[at + 1]!]!]
  decoded[length++] = (first << 2) | (second >>> 4)
  if (rest === 3) decoded[length++] = (second << 4) | (base64[bytes[at + 2]!]! >>> 2)
  return length
}

const fromHex = (bytes: Uint8Array, from: number, to: number): number => {
  let length = 0
  for (let at = from; at + 2 <= to; at += 2)
    decoded[length++] = (hex[bytes[at]!]! << 4) | hex[bytes[at + 1]!]!
  return length
}

/** What runs of encoded text stand for. */
export const eachEncoded = (bytes: Uint8Array, wanted: EncodedWanted): void => {
  const least = wanted.short ? shortest : shortestBinary
  const give = (length: number, offset: number): void => {
    if (length < least) return
    if (isText(decoded, length)) wanted.text(Buffer.from(decoded.subarray(0, length)), offset)
    else if (length >= shortestBinary) wanted.binary(decoded, length, offset)
  }
  /** Signs before it may be no part of it: each way to cut it into groups. */
  const decode = (run: Uint8Array, from: number, to: number, offset: number): void => {
    decoded = room(decoded, to - from)
    for (let skip = 0; skip < 4; skip++) give(fromBase64(run, from + skip, to), offset)
    eachRun(run, { values: hex, least: 2 * least, from, to }, (start, end) => {
      for (let skip = 0; skip < 2; skip++) give(fromHex(run, start + skip, end), offset)
      return end
    })
  }
  const all = { values: base64, least: base64Signs(least), from: 0, to: bytes.length }
  eachRun(bytes, all, (start, firstEnd) => {
    let next = firstEnd - start >= leastWrapped ? nextLine(bytes, firstEnd) : -1
    if (next < 0) {
      decode(bytes, start, firstEnd, start)
      return firstEnd
    }
    let [lineStart, end, length] = [start, firstEnd, 0]
    for (;;) {
      const bigger = room(joined, length + end - lineStart)
      if (bigger !== joined) bigger.set(joined.subarray(0, length))
      joined = bigger
      joined.set(bytes.subarray(lineStart, end), length)
      length += end - lineStart
      if (next < 0) break
      lineStart = next
      end = next
      while (end < bytes.length && base64[bytes[end]!]! >= 0) end++
      next = end - lineStart >= leastWrapped ? nextLine(bytes, end) : -1
    }
    decode(joined, 0, length, start)
    return end
  })
}
