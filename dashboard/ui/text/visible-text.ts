// Text of people, programs and containers, as a page shows it: invisible characters become symbols. So no text hides a
// part of itself or turns its direction. Pure.

/** Controls, marks of direction, joiners, and the two separators of lines. */
export const invisible = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]`

/** As terminals write controls: `^G`; of others the number. */
export const symbolOf = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code < 32) return `^${String.fromCodePoint(code + 64)}`
  if (code === 127) return '^?'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}

const pattern = new RegExp(`(?![\\t\\n])${invisible}`, 'gu')

/** Of several lines. */
export const visibleText = (text: string): string => text.replace(pattern, symbolOf)
