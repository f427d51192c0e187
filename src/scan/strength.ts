// How many guesses a value takes, as a careful estimate in bits. A fingerprint of a strong value tells nobody anything;
// that of a weak one would confirm a short list of guesses.

/** The 24 bits of a rolling hash that a fingerprint tells leave 80 to guess. */
export const strongBits = 104

const classes: readonly (readonly [RegExp, number])[] = [
  [/[a-z]/, Math.log2(26)],
  [/[A-Z]/, Math.log2(26)],
  [/[0-9]/, Math.log2(10)],
]
const otherBits = 4

const classOf = (sign: string): number => {
  const found = classes.findIndex(([is]) => is.test(sign))
  return found < 0 ? classes.length : found
}

/** Signs of one class in a row: words and dates have long ones, random text has short ones. */
const freeRun = 3

/** Of a value that somebody has written. */
const estimate = (text: string): number => {
  let [bits, before, length] = [0, -1, 0]
  for (const sign of text) {
    const now = classOf(sign)
    length = now === before ? length + 1 : 1
    before = now
    bits += length > freeRun ? 1 : (classes[now]?.[1] ?? otherBits)
  }
  const counts = new Map<string, number>()
  for (const sign of text) counts.set(sign, (counts.get(sign) ?? 0) + 1)
  const entropy = [...counts.values()].reduce(
    (sum, count) => sum - count * Math.log2(count / text.length),
    0,
  )
  return Math.min(bits, entropy)
}

/** Of a value whose signs were drawn by chance. */
const ofRandom = (text: string): number => {
  const size = /^[0-9a-f]*$/.test(text) ? 16 : /^[0-9]*$/.test(text) ? 10 : 62
  return text.length * Math.log2(size)
}

const passwordIn = (text: string): string | undefined =>
  /^[a-z][a-z0-9+.-]*:\/\/[^:@/\s]*:([^@/\s]*)@/i.exec(text)?.[1]

/** `made`: a machine has made it. A URL is as strong as its password. */
export const isStrong = (value: Buffer, made: boolean): boolean => {
  const text = value.toString('latin1')
  const secret = passwordIn(text) ?? (text.includes('://') ? '' : text)
  return (made ? ofRandom(secret) : estimate(secret)) >= strongBits
}
