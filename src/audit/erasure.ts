// The chain itself must record each erasure of rows. Otherwise an intruder with access to the database
// could blank names and call that an erasure.
import { createHash, type Hash } from 'node:crypto'

export const erasedPrefix = 'erased:'
export const eraseAction = 'erase person'

/** Content of `detail` in the audit row of an erasure. */
export interface ErasureDetail {
  readonly person: string
  /**
   * Number of rows from which the person's name was removed, and a digest over the positions of those
   * rows in the chain.
   */
  readonly rows: number
  readonly digest: string
}

/** Digest over the positions of erased rows, in rising order. */
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
