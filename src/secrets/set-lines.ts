// The input of the MAC of a set of secrets: one line for each secret, with everything that decides who
// gets which value. Lines are grouped into parcels: a change recomputes the digest of one parcel, and
// not of thousands of lines. Immutable: a change that is taken back continues with the old object.
import { createHmac, hash } from 'node:crypto'
import type { KeyBytes } from './aead.ts'
import { macKeyOf, setMac } from './digest.ts'

interface Parcel {
  readonly ids: readonly string[]
  /** Sorted; each is of the secret at its place in `ids`. */
  readonly lines: readonly string[]
  /** Number of the parcel, and SHA-256 over its lines. */
  readonly digest: Buffer
}

const parcelOf = (index: number, ids: readonly string[], lines: readonly string[]): Parcel => ({
  ids,
  lines,
  digest: Buffer.concat([Buffer.of(index), hash('sha256', lines.join('\n'), 'buffer')]),
})

type Parcels = readonly (Parcel | undefined)[]

const digestsOf = (parcels: Parcels): Buffer =>
  Buffer.concat(parcels.flatMap((parcel) => parcel?.digest ?? []))

const parcelCount = 64

/** Ids are random from their first digit on. */
const indexOf = (secretId: string): number =>
  (Number.parseInt(secretId.slice(0, 2), 16) || 0) % parcelCount

/** Where the line belongs among sorted ones. */
const placeOf = (lines: readonly string[], line: string): number => {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (lines[middle]! < line) low = middle + 1
    else high = middle
  }
  return low
}

const version = 'v2:'

export class SetLines {
  readonly size: number
  /** By their numbers; undefined where one is empty. */
  readonly #parcels: Parcels
  /** Of all parcels, in order. */
  readonly #digests: Buffer

  private constructor(parcels: Parcels, size: number, digests: Buffer) {
    this.#parcels = parcels
    this.size = size
    this.#digests = digests
  }

  /** Lines by secret id. Of two lines with one id the later one counts. */
  static from(lines: Iterable<readonly [secretId: string, line: string]>): SetLines {
    const byId = new Map(lines)
    const parts = Array.from({ length: parcelCount }, () => [] as [id: string, line: string][])
    for (const pair of byId) parts[indexOf(pair[0])]!.push(pair)
    const parcels = parts.map((pairs, index) => {
      if (pairs.length === 0) return undefined
      pairs.sort(([, a], [, b]) => (a < b ? -1 : 1))
      const [ids, sorted] = [pairs.map(([id]) => id), pairs.map(([, line]) => line)]
      return parcelOf(index, ids, sorted)
    })
    return new SetLines(parcels, byId.size, digestsOf(parcels))
  }

  /** Replaces the line of a secret; undefined removes it. */
  with(secretId: string, line: string | undefined): SetLines {
    const index = indexOf(secretId)
    const before = this.#parcels[index]
    const [ids, lines] = [[...(before?.ids ?? [])], [...(before?.lines ?? [])]]
    const old = ids.indexOf(secretId)
    if (old >= 0) {
      ids.splice(old, 1)
      lines.splice(old, 1)
    }
    if (line !== undefined) {
      const position = placeOf(lines, line)
      ids.splice(position, 0, secretId)
      lines.splice(position, 0, line)
    }
    const parcels = [...this.#parcels]
    const next = lines.length === 0 ? undefined : parcelOf(index, ids, lines)
    parcels[index] = next
    const isThere = before !== undefined && next !== undefined
    const digests = isThere ? this.#digestsWith(index, next) : digestsOf(parcels)
    return new SetLines(parcels, this.size - (before?.lines.length ?? 0) + lines.length, digests)
  }

  #digestsWith(index: number, { digest }: Parcel): Buffer {
    const digests = Buffer.from(this.#digests)
    let before = 0
    for (let i = 0; i < index; i++) if (this.#parcels[i] !== undefined) before += 1
    digest.copy(digests, before * digest.length)
    return digests
  }

  /**
   * HMAC over the revision and the digests of the parcels in order. The AAD of a value does not reveal
   * that an old row with an old version was put back; this MAC does.
   */
  mac(digestKey: KeyBytes, revision: number): string {
    const hmac = createHmac('sha256', macKeyOf(digestKey))
      .update(`set v2 revision ${revision}\n`)
      .update(this.#digests)
    return version + hmac.digest('hex')
  }

  /**
   * True when `mac` is valid for these lines at this revision, in the present form or in the one before
   * parcels.
   */
  hasMac(digestKey: KeyBytes, revision: number, mac: string | null): boolean {
    if (mac?.startsWith(version) === true) return mac === this.mac(digestKey, revision)
    const lines = this.#parcels.flatMap((parcel) => parcel?.lines ?? [])
    const old = lines.map((line) => ({ secretId: line, version: 0 }))
    return mac === setMac(digestKey, revision, old)
  }
}
