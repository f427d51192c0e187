// A text that is looked through, and where its pieces are from.

export interface PlainText {
  readonly bytes: Buffer
  /** The line of the outermost text, from 1, at which an offset of `bytes` lies. `lines`: how many end before it. */
  readonly lineAt: (offset: number, lines?: number) => number
}

const newline = 10

/** How many of the sorted numbers are below this one. */
const countBelow = (sorted: readonly number[], wanted: number): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** Lines are counted when one is asked for: few texts hold a value. */
export const wholeText = (bytes: Buffer): PlainText => {
  let ends: number[] | undefined
  const endsOf = (): number[] => {
    const found: number[] = []
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1))
      found.push(at)
    return found
  }
  return {
    bytes,
    lineAt: (offset, lines) => (lines ?? countBelow((ends ??= endsOf()), offset)) + 1,
  }
}

/** Pieces of another text, one below the other. */
export class Pieces {
  readonly #outer: PlainText
  readonly #pieces: Buffer[] = []
  readonly #starts: number[] = []
  readonly #offsets: number[] = []
  #length = 0

  constructor(outer: PlainText) {
    this.#outer = outer
  }

  add(piece: Buffer, offset: number): void {
    this.#pieces.push(piece, newlineBytes)
    this.#starts.push(this.#length)
    this.#offsets.push(offset)
    this.#length += piece.length + 1
  }

  /** undefined for none. */
  end(): PlainText | undefined {
    if (this.#length === 0) return undefined
    return {
      bytes: Buffer.concat(this.#pieces, this.#length),
      lineAt: (offset) =>
        this.#outer.lineAt(this.#offsets[countBelow(this.#starts, offset + 1) - 1]!),
    }
  }
}

const newlineBytes = Buffer.of(newline)

/** Valid UTF-8 without control characters. Ends early: most bytes are none. */
export const isText = (bytes: Uint8Array, length: number): boolean => {
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!
    if (byte < 128) {
      if (byte < 9 || byte === 127) return false
      continue
    }
    const more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1
    if (byte < 0xc2 || byte > 0xf4) return false
    // What is cut off at the end may be the begin of a sign.
    for (let i = 1; i <= more && at + i < length; i++)
      if ((bytes[at + i]! & 0xc0) !== 0x80) return false
    at += more
  }
  return true
}
