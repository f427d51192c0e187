// Expands `${OTHER}` and escapes inside a value of a .env file, as Compose does.

/** A fault of the value; the message never repeats a byte of it. */
export class ExpandError extends Error {
  override readonly name = 'ExpandError'
}

const escapes: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '"': '"',
  '\\': '\\',
  $: '$',
}

const variable =
  /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])((?:[^{}]|\{[^{}]*\})*))?\}|\$([A-Za-z_][A-Za-z0-9_]*)|\$\{/g
const variableOrEscape = new RegExp(String.raw`${variable.source}|\\(?:0[0-7]{1,3}|[^])`, 'g')

/**
 * `variables` are those of earlier lines. An unknown name is an error, although Compose would put
 * an empty text: nobody means to store half a password.
 */
export const expand = (
  raw: string,
  withEscapes: boolean,
  variables: ReadonlyMap<string, string>,
): string =>
  raw.replace(withEscapes ? variableOrEscape : variable, (whole: string, ...groups: string[]) => {
    const [braced, mode, word = '', bare] = groups
    if (whole.startsWith('\\')) return characterOf(whole)
    if (whole === '$$') return '$'
    const name = braced ?? bare
    if (name === undefined) throw new ExpandError('has a "${" that is not understood')
    const value = variables.get(name)
    const isSet = mode?.startsWith(':') === true ? (value ?? '') !== '' : value !== undefined
    if (mode?.endsWith('+') === true) return isSet ? expand(word, withEscapes, variables) : ''
    if (isSet) return value!
    if (mode?.endsWith('-') === true) return expand(word, withEscapes, variables)
    throw new ExpandError(
      'refers to a variable that no earlier line sets; for a "$" that is meant, put the value in single quotes',
    )
  })

/** The character of an escape; an unknown escape stays unchanged. */
const characterOf = (escape: string): string => {
  if (!/^\\0[0-7]{1,3}$/.test(escape)) return escapes[escape[1]!] ?? escape
  const code = Number.parseInt(escape.slice(2), 8)
  return code < 256 ? String.fromCharCode(code) : escape
}
