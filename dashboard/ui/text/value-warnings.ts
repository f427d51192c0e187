// What one does not see in a value, and may not mean. Pure.
const maskOnly = /^(?:[•*]+|\*{3}REDACTED\*{3})$/

/** Of one value, as the API takes them. */
export const maxValueBytes = 1_048_576
export const tooLarge = 'is larger than 1 MiB'

/** A value of dots only was copied from a screen, where it stood for another. */
export const maskWords = (text: string): string[] =>
  maskOnly.test(text) ? ['looks like a masked value'] : []

export const valueWarnings = (text: string): string[] => {
  const found: string[] = []
  if (/\s$/.test(text))
    found.push(text.endsWith('\n') ? 'ends with a line break' : 'ends with a space')
  if (/^\s/.test(text)) found.push('begins with a space')
  if (text.includes('\r')) found.push('has carriage returns')
  if (text.includes('\t')) found.push('has tabs')
  if (text.includes('\0')) found.push('has a NUL byte')
  return [...found, ...maskWords(text)]
}
