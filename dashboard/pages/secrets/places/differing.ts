// Where two values differ, and what one does not see in them. Pure.

export interface Difference {
  readonly before: string
  readonly left: string
  readonly right: string
  readonly after: string
}

/** What they begin with and end with alike, and what is between in each. */
export const differenceOf = (a: string, b: string): Difference => {
  const [left, right] = [Array.from(a), Array.from(b)]
  const most = Math.min(left.length, right.length)
  let head = 0
  while (head < most && left[head] === right[head]) head++
  let tail = 0
  while (tail < most - head && left.at(-1 - tail) === right.at(-1 - tail)) tail++
  const part = (characters: readonly string[], from: number, to: number): string =>
    characters.slice(from, to).join('')
  return {
    before: part(left, 0, head),
    left: part(left, head, left.length - tail),
    right: part(right, head, right.length - tail),
    after: part(left, left.length - tail, left.length),
  }
}

const forms: Readonly<Record<string, string>> = { ' ': '·', '\t': '⇥', '\n': '⏎\n', '\r': '␍' }

/** White space gets a form. */
export const withSpaces = (text: string): string =>
  text.replace(/[ \t\n\r]/g, (character) => forms[character] ?? character)
