import { append } from '../../src/kernel/append.ts'
// A text of a compose file in parts: what is written, and what variables fill in, by the rules of Compose. Pure.

export interface TextPart {
  readonly text: string
  /** The variable that the text is the value of, or the default that is in use. Absent: it is written there. */
  readonly variable?: string
}

type Variables = ReadonlyMap<string, string>

const start = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)|\$([A-Za-z_][A-Za-z0-9_]*)/

/** The position of the brace that closes the one before `from`. */
const closing = (text: string, from: number): number => {
  let depth = 1
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth += 1
    else if (text[at] === '}') depth -= 1
    if (depth === 0) return at
  }
  return text.length
}

/** What `${NAME…}` stands for; `rest` is what follows the name. */
const expand = (name: string, rest: string, variables: Variables): TextPart[] => {
  const value = variables.get(name)
  const [, colon = '', operator = '', argument = ''] = /^(:?)([-+?])([^]*)$/.exec(rest) ?? []
  const isUsed = value !== undefined && (colon === '' || value !== '')
  if (operator === '+') return isUsed ? partsOf(argument, variables) : []
  if (operator !== '-' || isUsed) return [{ text: value ?? '', variable: name }]
  const parts = partsOf(argument, variables)
  const isLiteral = parts.every(({ variable }) => variable === undefined)
  return isLiteral ? [{ text: parts.map(({ text }) => text).join(''), variable: name }] : parts
}

export const partsOf = (written: string, variables: Variables): TextPart[] => {
  const parts: TextPart[] = []
  const add = (text: string): void => {
    if (text !== '') parts.push({ text })
  }
  let rest = written
  for (let found = start.exec(rest); found !== null; found = start.exec(rest)) {
    const [match, braced, bare] = found
    add(rest.slice(0, found.index))
    rest = rest.slice(found.index + match.length)
    if (braced !== undefined) {
      const end = closing(rest, 0)
      append(parts, expand(braced, rest.slice(0, end), variables))
      rest = rest.slice(end + 1)
    } else if (bare !== undefined) append(parts, expand(bare, '', variables))
    else add('$')
  }
  add(rest)
  return parts
}

/** The variable whose value is the whole text. */
export const wholeVariable = (parts: readonly TextPart[]): string | undefined =>
  parts.length === 1 ? parts[0]?.variable : undefined
