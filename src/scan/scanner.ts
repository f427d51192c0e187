// Finds values in texts by their fingerprints. Keeps no text; the words that only the controller can judge are kept as
// MACs.
import { plainTexts, type PlainText } from './decode.ts'
import { wordsIn } from './words.ts'
import { createRollingHash, macOf, windowBytes, type StrongFingerprint } from './fingerprints.ts'

/** Where a text with a value is. */
export interface ScanPlace {
  readonly path: string
  readonly line: number
  readonly commit?: string
}

export interface ScannedText extends Omit<ScanPlace, 'line'> {
  readonly bytes: Buffer
}

export interface ScanHit extends ScanPlace {
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
  scan(text: ScannedText): void
  /** The path itself may hold a value: then its line is 0. */
  scanName(at: Omit<ScanPlace, 'line'>): void
  /** Values that were found. */
  readonly hits: readonly ScanHit[]
  /** Where words are that may be weak values, by their MACs. */
  readonly words: ReadonlyMap<string, readonly ScanPlace[]>
}

const mostPlaces = 1_000

export const createScanner = ({ key, strong, weak_lengths: lengths }: FingerprintFile): Scanner => {
  const scanKey = Buffer.from(key, 'base64url')
  const rolling = createRollingHash(scanKey)
  /** By length: 1 where a weak value has it. */
  const weak = new Uint8Array(Math.max(0, ...lengths) + 1)
  for (const length of lengths) weak[length] = 1
  const filters = new Uint8Array(1 << 21)
  const byFilter = new Map<number, StrongFingerprint[]>()
  for (const fingerprint of strong) {
    const { filter } = fingerprint
    filters[filter >>> 3]! |= 1 << (filter & 7)
    byFilter.set(filter, [...(byFilter.get(filter) ?? []), fingerprint])
  }
  const hits = new Map<string, ScanHit>()
  const words = new Map<string, ScanPlace[]>()
  const macs = new Map<string, string>()

  const findStrong = ({ bytes, lineAt }: PlainText, at: Omit<ScanPlace, 'line'>): void => {
    if (strong.length === 0 || bytes.length < windowBytes) return
    rolling.roll(bytes, (hash, start) => {
      if ((filters[hash >>> 3]! & (1 << (hash & 7))) === 0) return
      for (const { length, mac } of byFilter.get(hash) ?? []) {
        if (start + length > bytes.length) continue
        if (macOf(scanKey, bytes.subarray(start, start + length)) !== mac) continue
        const line = lineAt(start)
        hits.set(JSON.stringify([at.commit, at.path, line, mac]), { ...at, line, mac })
      }
    })
  }
  const noteWord = (word: Buffer, at: ScanPlace): void => {
    const text = word.toString('latin1')
    let mac = macs.get(text)
    if (mac === undefined) {
      mac = macOf(scanKey, word)
      macs.set(text, mac)
    }
    const places = words.get(mac) ?? []
    words.set(mac, places)
    const last = places.at(-1)
    const isSame = last?.path === at.path && last.line === at.line
    if (!isSame && places.length < mostPlaces) places.push(at)
  }
  const scanPlain = (plain: PlainText, at: Omit<ScanPlace, 'line'>): void => {
    findStrong(plain, at)
    if (plain.isText && lengths.length > 0)
      wordsIn(plain.bytes, weak, (word, offset) =>
        noteWord(word, { ...at, line: plain.lineAt(offset) }),
      )
  }
  return {
    scan: ({ bytes, ...at }) => {
      for (const plain of plainTexts(bytes)) scanPlain(plain, at)
    },
    scanName: (at) => {
      const bytes = Buffer.from(`${at.path}\n${at.path.replaceAll('/', '\n')}`)
      for (const plain of plainTexts(bytes)) scanPlain({ ...plain, lineAt: () => 0 }, at)
    },
    get hits() {
      return [...hits.values()]
    },
    words,
  }
}
