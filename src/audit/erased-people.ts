// Whom an export no longer names, and whether a recorded erasure covers each row that does so. Pure.
import { eraseAction, ErasedRows, type ErasureDetail } from './erasure.ts'
import type { ChainedRecord } from './lines.ts'
import type { ChainCrypto } from './texts.ts'

export class ErasedPeople {
  /** By pseudonym: the rows that have it in place of a name. */
  readonly #erased = new Map<string, ErasedRows>()
  readonly #erasures = new Map<string, ErasureDetail>()

  note(row: ChainedRecord): void {
    const { actor_commitment: actor, subject_commitment: subject, seq } = row
    if (actor.salt === undefined) this.#noteErased(row.actor.name, seq)
    if (subject !== undefined && subject.salt === undefined) this.#noteErased(row.object.name, seq)
    if (row.action !== eraseAction) return
    const detail = row.detail as unknown as ErasureDetail
    this.#erasures.set(detail.person, detail)
  }

  #noteErased(person: string, seq: number): void {
    const rows = this.#erased.get(person) ?? new ErasedRows()
    this.#erased.set(person, rows)
    rows.add(seq)
  }

  /** Somebody whom no recorded erasure covers, and their first row. `isWhole`: the rows begin with the first of all. */
  async uncovered(
    crypto: ChainCrypto,
    { isWhole }: { isWhole: boolean },
  ): Promise<{ person: string; first: number | undefined } | undefined> {
    for (const [person, rows] of this.#erased) {
      const erasure = this.#erasures.get(person)
      const isCovered =
        erasure !== undefined &&
        (isWhole
          ? erasure.rows === rows.rows && erasure.digest === (await crypto.sha256(rows.text))
          : rows.rows <= erasure.rows)
      if (!isCovered) return { person, first: rows.first }
    }
    return undefined
  }
}
