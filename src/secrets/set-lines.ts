// The input of the MAC of a set of secrets: one line for each secret, with everything that decides who
// gets which value. Lines are grouped into parcels: a change recomputes the digest of one parcel, and
// not of thousands of lines. Immutable: a change that is taken back continues with the old object.
import { createHash, createHmac } from 'node:crypto'
import { lazy } from '../kernel/lazy.ts'
import type { KeyBytes } from './aead.ts'
import { macKeyOf, setMac } from './digest.ts'

interface Parcel {
  readonly lines: ReadonlyMap<string, string>
  /** SHA-256 over the sorted lines. */
  readonly digest: () => Buffer
}

const parcelOf = (lines: ReadonlyMap<string, string>): Parcel => {
  const digest = lazy(() =>
    createHash('sha256')
      .update([...lines.values()].sort().join('\n'))
      .digest(),
  )
  return { lines, digest }
}

const parcelCount = 64

/** Ids are random from their first digit on. */
const indexOf = (secretId: string): number =>
  (Number.parseInt(secretId.slice(0, 2), 16) || 0) % parcelCount

const version = 'v2:'

export class SetLines {
  readonly size: number
  readonly #parcels: ReadonlyMap<number, Parcel>

  private constructor(parcels: ReadonlyMap<number, Parcel>) {
    this.#parcels = parcels
    this.size = [...parcels.values()].reduce((sum, { lines }) => sum + lines.size, 0)
  }

  /** Lines by secret id. Of two lines with one id the later one counts. */
  static of(lines: Iterable<readonly [secretId: string, line: string]>): SetLines {
    const parcels = new Map<number, Map<string, string>>()
    for (const [secretId, line] of lines) {
      const index = indexOf(secretId)
      const parcel = parcels.get(index) ?? new Map<string, string>()
      parcels.set(index, parcel.set(secretId, line))
    }
    return new SetLines(new Map([...parcels].map(([index, parcel]) => [index, parcelOf(parcel)])))
  }

  /** Replaces the line of a secret; undefined removes it. */
  with(secretId: string, line: string | undefined): SetLines {
    const index = indexOf(secretId)
    const lines = new Map(this.#parcels.get(index)?.lines)
    if (line === undefined) lines.delete(secretId)
    else lines.set(secretId, line)
    const parcels = new Map(this.#parcels)
    if (lines.size === 0) parcels.delete(index)
    else parcels.set(index, parcelOf(lines))
    return new SetLines(parcels)
  }

  /**
   * HMAC over the revision and the digests of the parcels in order. The AAD of a value does not reveal
   * that an old row with an old version was put back; this MAC does.
   */
  mac(digestKey: KeyBytes, revision: number): string {
    const parcels = [...this.#parcels].sort(([a], [b]) => a - b)
    const digests = parcels.flatMap(([index, parcel]) => [Buffer.of(index), parcel.digest()])
    const hmac = createHmac('sha256', macKeyOf(digestKey))
      .update(`set v2 revision ${revision}\n`)
      .update(Buffer.concat(digests))
    return version + hmac.digest('hex')
  }

  /**
   * True when `mac` is valid for these lines at this revision, in the present form or in the one before
   * parcels.
   */
  hasMac(digestKey: KeyBytes, revision: number, mac: string | null): boolean {
    if (mac?.startsWith(version) === true) return mac === this.mac(digestKey, revision)
    const lines = [...this.#parcels.values()].flatMap((parcel) => [...parcel.lines.values()])
    const old = lines.map((line) => ({ secretId: line, version: 0 }))
    return mac === setMac(digestKey, revision, old)
  }
}
