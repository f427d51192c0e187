// Text that Postgres can store. It refuses a NUL and a lone surrogate, also as an escape in JSON: the
// write fails, and so does the restore of a backup that holds one.

export const isStorable = (text: string): boolean =>
  !text.includes('\0') && !/\p{Surrogate}/u.test(text)

/**
 * The escapes of these characters, as JSON.stringify writes them. An escaped backslash comes first, so
 * that `\\u0000` (text) does not match.
 */
const escapes = /\\\\|\\u0000|\\ud[89a-f][0-9a-f]{2}/g

/** JSON as JSON.stringify makes it, with U+FFFD in place of each character that Postgres refuses. */
export const storableJson = (json: string): string =>
  json.includes('\\u')
    ? json.replace(escapes, (found) => (found === '\\\\' ? found : '\ufffd'))
    : json
