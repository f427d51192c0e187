// Text of others as people read it: in a terminal, a mail or a message.

/**
 * Controls, marks of direction and others that nobody sees, separators of lines, and halves of surrogate pairs; not what
 * joins letters.
 */
const unseen = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** `\x1b`, `\u202e`: as JSON and YAML write what they would not print. */
const escaped = (sign: string): string =>
  sign < '\x7f'
    ? `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`
    : [...Array(sign.length).keys()]
        .map((index) => `\\u${sign.charCodeAt(index).toString(16).padStart(4, '0')}`)
        .join('')

/** Text that agents and containers may have made must not control the reader's terminal, nor hide or turn a part of itself. */
export const printable = (text: string): string => text.replace(unseen, escaped)

/** The same as a part of one line, such as a cell of a table: a line break would begin what looks like another row. */
export const oneLine = (text: string): string => printable(text).replaceAll('\n', '\\n')

/** The same below a line of ours: each further line is set in behind a bar, so that it passes for none of ours. */
export const setIn = (text: string): string => printable(text).replaceAll('\n', '\n    | ')
