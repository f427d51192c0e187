// Where two values differ, and what one does not see in them. Pure.

export interface Difference {
  readonly before: string
  readonly one: string
  readonly other: string
  readonly after: string
}

/** What they begin with and end with alike, and what is between in each. */
export const differenceOf = (a: string, b: string): Difference => {
  const [one, other] = [Array.from(a), Array.from(b)]
  const most = Math.min(one.length, other.length)
  let head = 0
  while (head < most && one[head] === other[head]) head++
  let tail = 0
  while (tail < most - head && one.at(-1 - tail) === other.at(-1 - tail)) tail++
  const part = (of: readonly string[], from: number, to: number): string =>
    of.slice(from, to).join('')
  return {
    before: part(one, 0, head),
    one: part(one, head, one.length - tail),
    other: part(other, head, other.length - tail),
    after: part(one, one.length - tail, one.length),
  }
}

const forms: Readonly<Record<string, string>> = { ' ': '·', '\t': '⇥', '\n': '⏎\n', '\r': '␍' }

/** White space gets a form. */
export const withSpaces = (text: string): string =>
  text.replace(/[ \t\n\r]/g, (character) => forms[character] ?? character)
