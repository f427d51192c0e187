// What the machine side needs of a masker; the real one is src/masking.

export interface MaskerPort {
  /** Replaces the set of known values. Values of the running and of the wanted set belong in it. */
  setValues(values: Iterable<Buffer>): void
  /** The text with every known value, in any of its usual escapings, replaced. */
  mask(text: string): string
}
