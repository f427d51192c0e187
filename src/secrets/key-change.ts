// What a change does to the keys of one service, in words.

export interface KeyChange {
  readonly keys: readonly string[]
  /** Those of the keys that the service does not have now, and those that it has no more. Absent: none. */
  readonly gains?: readonly string[]
  readonly loses?: readonly string[]
}

/** `gains A, loses B, other value of C`; the plain keys where none comes or goes. */
export const keysText = ({ keys, gains = [], loses = [] }: KeyChange): string => {
  if (gains.length + loses.length === 0) return keys.join(', ')
  const others = keys.filter((key) => !gains.includes(key) && !loses.includes(key))
  const parts = [
    ['gains', gains],
    ['loses', loses],
    ['other value of', others],
  ] as const
  return parts
    .filter(([, some]) => some.length > 0)
    .map(([word, some]) => `${word} ${some.join(', ')}`)
    .join(', ')
}
