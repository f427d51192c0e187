// Reads the password out of a URL, or out of the pairs of a connection string. Pure.

interface PasswordInText {
  /** `before`, `password` and `after` together are the text. */
  readonly before: string
  readonly password: string
  readonly after: string
  readonly isUrl: boolean
}

/**
 * `postgres://app:password@db`. The last `@` before the host ends the password, which may have a `/`. A name and a number
 * before a `/` are a host and its port.
 */
const url =
  /^([a-z][a-z0-9+.-]*:\/\/(?:(?!\[)[^/\s:@]+:(?!\d*[/?#])|:))([^\s@]+(?:@[^/?#\s@]*(?=@))*)(@[^]*)$/i

const pair = /(^|[;,?&]\s*|\s)(password|pwd)=/gi

const quoted = /^"[^"]+"|^'[^']+'/

/** Where the next pair begins, for each sign that may stand between pairs. A sentence may have a `;` alone at its end. */
const nextPair = { ';': /;\s*($|\w[\w ]*=)/, ',': /,\s*\w+=/, '&': /&\w+=/, ' ': /\s\w+=/ }

const ends = { ';': /;/, ',': /,/, '?': /[&#\s]/, '&': /[&#\s]/, ' ': /\s/, '': /$/ }

/** The sign between pairs: the one before the password, or of a text that begins with it, the one before the next pair. */
const signOf = (before: string, rest: string): keyof typeof ends => {
  const said = before.trim() as keyof typeof ends
  if (said !== '' || before !== '') return said === '' ? ' ' : said
  const signs = Object.keys(nextPair) as (keyof typeof nextPair)[]
  return signs.find((sign) => nextPair[sign].test(rest)) ?? ''
}

const inPairs = (text: string): PasswordInText | undefined => {
  for (const { index, 0: head, 1: before = '' } of text.matchAll(pair)) {
    const value = text.slice(index + head.length)
    const sign = signOf(before, value)
    // `Password = "a;b"`: neither blanks nor quotes are of the password.
    const blanks = sign === ';' ? value.length - value.trimStart().length : 0
    const rest = value.slice(blanks)
    const [quote] = quoted.exec(rest) ?? []
    const password = quote?.slice(1, -1) ?? rest.slice(0, ends[sign].exec(rest)?.index)
    const start = index + head.length + blanks + (quote === undefined ? 0 : 1)
    if (password === '') continue
    const after = text.slice(start + password.length)
    return { before: text.slice(0, start), password, after, isUrl: false }
  }
  return undefined
}

export const passwordIn = (text: string): PasswordInText | undefined => {
  const [, before, password = '', after = ''] = url.exec(text) ?? []
  return before === undefined ? inPairs(text) : { before, password, after, isUrl: true }
}
