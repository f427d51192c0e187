// Any character for `fc.string`. Its own unit 'binary' is the same, and takes a second of CPU for each string that
// is declared, as it looks up what it can make one by one.
import fc from 'fast-check'

/** What no character has, as UTF-16 uses it in pairs. */
const [firstHalf, halves] = [0xd800, 0x800]

export const codePoint = fc.integer({ min: 0, max: 0x10ffff - halves }).map(
  (n) => String.fromCodePoint(n < firstHalf ? n : n + halves),
  (text) => {
    const n = String(text).codePointAt(0) ?? 0
    if (text !== String.fromCodePoint(n)) throw new Error('not one character')
    return n < firstHalf ? n : n - halves
  },
)
