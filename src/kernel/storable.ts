// Text that the database takes. It cannot look into a NUL or half a surrogate pair, not even as an
// escape in JSON: a write that does fails, and so does the restore of a backup that holds one.

export const isStorable = (text: string): boolean =>
  !text.includes('\0') && !/\p{Surrogate}/u.test(text)

/** As JSON.stringify writes them; a backslash that is text comes first, so that it is passed over. */
const escapes = /\\\\|\\u0000|\\ud[89a-f][0-9a-f]{2}/g

/** JSON as JSON.stringify makes it, with U+FFFD in place of what the database cannot look into. */
export const storableJson = (json: string): string =>
  json.includes('\\u')
    ? json.replace(escapes, (found) => (found === '\\\\' ? found : '\ufffd'))
    : json
