// Finds values in texts by their fingerprints. Keeps no text; the words that only the controller can judge are kept as
// MACs.
import { eachEncoded } from './encoded.ts'
import { WordPlaces, type TextPlace } from './word-places.ts'
import { wordsIn } from './words.ts'
import { createWindows, macOf, type StrongFingerprint } from './fingerprints.ts'
import { Pieces, wholeText, type PlainText } from './plain-text.ts'
import { unescaped } from './unescape.ts'

/** Where a text with a value is. */
export interface ScanPlace {
  readonly path: string
  readonly line: number
  readonly commit?: string
}

export interface ScannedText extends Omit<ScanPlace, 'line'> {
  readonly bytes: Buffer
}

interface ScanHit extends ScanPlace {
  readonly mac: string
}

export interface FingerprintFile {
  /** base64url. */
  readonly key: string
  readonly strong: readonly StrongFingerprint[]
  /** Lengths of weak values. */
  readonly weak_lengths: readonly number[]
}

export interface Scanner {
  /** Values that were found. */
  readonly hits: readonly ScanHit[]
  /** Words that may be weak values, by their MACs: their numbers. */
  macsOfWords(): ReadonlyMap<string, number>
  placesOfWord(word: number): ScanPlace[]
  readonly wantsWords: boolean
  findStrong(bytes: Uint8Array, length: number, found: Found): void
  noteWords(bytes: Buffer, found: Found): void
}

interface Found {
  readonly at: TextPlace
  readonly lineAt: PlainText['lineAt']
}

export const createScanner = ({ key, strong, weak_lengths: lengths }: FingerprintFile): Scanner => {
  const scanKey = Buffer.from(key, 'base64url')
  const windows = createWindows(
    scanKey,
    strong.map(({ filter }) => filter),
  )
  /** By length: 1 where a weak value has it. */
  const weak = new Uint8Array(Math.max(0, ...lengths) + 1)
  for (const length of lengths) weak[length] = 1
  const byFilter = new Map<number, StrongFingerprint[]>()
  for (const fingerprint of strong) {
    const { filter } = fingerprint
    byFilter.set(filter, [...(byFilter.get(filter) ?? []), fingerprint])
  }
  const hits = new Map<string, ScanHit>()
  const words = new WordPlaces()
  return {
    wantsWords: lengths.length > 0,
    findStrong: (bytes, length, { at, lineAt }) => {
      if (strong.length === 0) return
      windows.find(bytes, length, (hash, start) => {
        for (const known of byFilter.get(hash) ?? []) {
          if (start + known.length > length) continue
          const mac = macOf(scanKey, bytes.subarray(start, start + known.length))
          if (mac !== known.mac) continue
          const line = lineAt(start)
          hits.set(JSON.stringify([at.commit, at.path, line, mac]), { ...at, line, mac })
        }
      })
    },
    noteWords: (bytes, { at, lineAt }) => {
      if (lengths.length === 0) return
      wordsIn(bytes, weak, (start, end, lines) => {
        words.note(bytes, start, end, { at, line: lineAt(start, lines) })
      })
    },
    get hits() {
      return [...hits.values()]
    },
    macsOfWords: () => words.macs(scanKey),
    placesOfWord: (word) => words.placesOf(word),
  }
}

/** Base64 may be in base64. */
const deepest = 2

/** Looks through a text, and through every text that it stands for. */
const scanPlain = (
  scanners: readonly Scanner[],
  plain: PlainText,
  at: Found['at'],
  depth: number,
): void => {
  const { bytes, lineAt } = plain
  for (const scanner of scanners) scanner.findStrong(bytes, bytes.length, { at, lineAt })
  // Of what is no text only long values are found.
  if (bytes.includes(0)) return
  for (const scanner of scanners) scanner.noteWords(bytes, { at, lineAt })
  if (depth === deepest) return
  const inner = unescaped(plain)
  if (inner !== undefined) scanPlain(scanners, inner, at, deepest)
  const texts = new Pieces(plain)
  eachEncoded(bytes, {
    short: scanners.some(({ wantsWords }) => wantsWords),
    text: (decoded, offset) => texts.add(decoded, offset),
    binary: (decoded, length, offset) => {
      const found = { at, lineAt: () => lineAt(offset) }
      for (const scanner of scanners) scanner.findStrong(decoded, length, found)
    },
  })
  const decoded = texts.end()
  if (decoded !== undefined) scanPlain(scanners, decoded, at, depth + 1)
}

export const scanText = (scanners: readonly Scanner[], { bytes, ...at }: ScannedText): void =>
  scanPlain(scanners, wholeText(bytes), at, 0)

/** The path itself may hold a value: then its line is 0. */
export const scanName = (scanners: readonly Scanner[], at: Found['at']): void => {
  const bytes = Buffer.from(`${at.path}\n${at.path.replaceAll('/', '\n')}`)
  scanPlain(scanners, { bytes, lineAt: () => 0 }, at, 0)
}
