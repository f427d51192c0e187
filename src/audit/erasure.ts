// The chain itself must record each erasure of rows. Otherwise an intruder with access to the database
// could blank names and call that an erasure.
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

/** Positions of erased rows, in rising order. */
export class ErasedRows {
  readonly #positions: number[] = []

  add(seq: number): void {
    this.#positions.push(seq)
  }

  get rows(): number {
    return this.#positions.length
  }

  get first(): number | undefined {
    return this.#positions[0]
  }

  /** The text whose SHA-256 is the digest of an erasure. */
  get text(): string {
    return this.#positions.map((seq) => `${seq},`).join('')
  }
}
