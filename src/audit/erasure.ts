// Erased rows must be covered by an erasure that the chain itself holds: otherwise whoever can write
// to the database could blank out who did something and call it an erasure.
import { createHash, type Hash } from 'node:crypto'

export const erasedPrefix = 'erased:'
export const eraseAction = 'erase person'

/** What the audit row of an erasure says in `detail`. */
export interface ErasureDetail {
  readonly person: string
  /** How many rows name the person no more, and a digest over their places in the chain. */
  readonly rows: number
  readonly digest: string
}

/** Digest over the places of erased rows, in rising order. */
export class ErasedRows {
  #rows = 0
  #first: number | undefined
  readonly #hash: Hash = createHash('sha256')

  add(seq: number): void {
    this.#rows += 1
    this.#first ??= seq
    this.#hash.update(`${seq},`)
  }

  get rows(): number {
    return this.#rows
  }

  get first(): number | undefined {
    return this.#first
  }

  digest(): string {
    return this.#hash.copy().digest('base64url')
  }
}
