// Where each word was seen. There are millions: numbers in arrays take a tenth of the time that objects take.
import { macOf } from './fingerprints.ts'

/** Where bytes with a value are. */
export interface TextPlace {
  readonly path: string
  readonly commit?: string
}

/** Of one word. */
const mostPlaces = 1_000

type Numbers = Int32Array<ArrayBuffer>

const grown = (numbers: Numbers): Numbers => {
  const next = new Int32Array(2 * numbers.length)
  next.set(numbers)
  return next
}

export class WordPlaces {
  /** By a slot of 64 bits of a hash: the number of the word, from 1. */
  #slots = new Int32Array(3 << 12)
  readonly #words: string[] = []
  /** By the number of the word: its last place, and how many it has. */
  #last = new Int32Array(1 << 12)
  #counts = new Int32Array(1 << 12)
  /** For each place: the text, the line, and the place before. */
  #places = new Int32Array(3 << 12)
  #placeCount = 0
  readonly #texts: TextPlace[] = []

  note(
    bytes: Buffer,
    from: number,
    to: number,
    { at, line }: { at: TextPlace; line: number },
  ): void {
    if (this.#texts.at(-1) !== at) this.#texts.push(at)
    const word = this.#numberOf(bytes, from, to)
    const text = this.#texts.length - 1
    const last = this.#last[word]!
    if (last > 0 && this.#places[3 * last] === text && this.#places[3 * last + 1] === line) return
    if (this.#counts[word]! >= mostPlaces) return
    this.#counts[word]!++
    const place = ++this.#placeCount
    if (3 * place + 3 > this.#places.length) this.#places = grown(this.#places)
    this.#places[3 * place] = text
    this.#places[3 * place + 1] = line
    this.#places[3 * place + 2] = last
    this.#last[word] = place
  }

  #numberOf(bytes: Buffer, from: number, to: number): number {
    let [first, second] = [to - from, 0x9e3779b9]
    for (let at = from; at < to; at++) {
      first = Math.imul(first ^ bytes[at]!, 0x01000193)
      second = Math.imul(second ^ first, 0x85ebca6b) ^ (second >>> 13)
    }
    const slot = this.#slotOf(first, second)
    const known = this.#slots[slot + 2]!
    if (known > 0) return known
    const number = this.#words.push(bytes.toString('latin1', from, to))
    this.#slots[slot] = first
    this.#slots[slot + 1] = second
    this.#slots[slot + 2] = number
    if (number >= this.#last.length - 1) {
      this.#last = grown(this.#last)
      this.#counts = grown(this.#counts)
    }
    if (6 * number > this.#slots.length) this.#spread()
    return number
  }

  #slotOf(first: number, second: number): number {
    const mask = this.#slots.length / 3 - 1
    let slot = (first ^ (second >>> 7)) & mask
    for (;;) {
      const at = 3 * slot
      if (this.#slots[at + 2] === 0) return at
      if (this.#slots[at] === first && this.#slots[at + 1] === second) return at
      slot = (slot + 1) & mask
    }
  }

  #spread(): void {
    const before = this.#slots
    this.#slots = new Int32Array(2 * before.length)
    for (let at = 0; at < before.length; at += 3) {
      if (before[at + 2] === 0) continue
      this.#slots.set(before.subarray(at, at + 3), this.#slotOf(before[at]!, before[at + 1]!))
    }
  }

  /** The numbers of the words, by their MACs. */
  macs(scanKey: Buffer): Map<string, number> {
    return new Map(
      this.#words.map((word, i) => [macOf(scanKey, Buffer.from(word, 'latin1')), i + 1]),
    )
  }

  placesOf(word: number): (TextPlace & { readonly line: number })[] {
    const places: (TextPlace & { readonly line: number })[] = []
    for (let place = this.#last[word]!; place > 0; place = this.#places[3 * place + 2]!) {
      const [text = 0, line = 0] = this.#places.subarray(3 * place, 3 * place + 2)
      places.push({ ...this.#texts[text]!, line })
    }
    return places.reverse()
  }
}
