// What one does not see in a value, and may not mean. Pure.
const maskOnly = /^(?:[•*]+|\*{3}REDACTED\*{3})$/

export const oddities = (text: string): string[] => {
  const found: string[] = []
  if (/\s$/.test(text))
    found.push(text.endsWith('\n') ? 'ends with a line break' : 'ends with a space')
  if (/^\s/.test(text)) found.push('begins with a space')
  if (text.includes('\r')) found.push('has carriage returns')
  if (text.includes('\t')) found.push('has tabs')
  if (text.includes('\0')) found.push('has a NUL')
  if (maskOnly.test(text)) found.push('looks like a mask, not like a value')
  return found
}
