// The only place that writes to the terminal: results to stdout, everything else to stderr.

/** Controls, marks of direction and others that nobody sees, and separators of lines; not what joins letters. */
const unseen = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** `\x1b`, `\u202e`: as JSON and YAML write what they would not print. */
const escaped = (sign: string): string =>
  sign < '\x7f'
    ? `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`
    : [...Array(sign.length).keys()]
        .map((at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`)
        .join('')

/** Text that agents and containers may have made must not control the reader's terminal, nor hide or turn a part of itself. */
export const printable = (text: string): string => text.replace(unseen, escaped)

/** The same as a part of one line, such as a cell of a table: a line break would begin what looks like another row. */
export const oneLine = (text: string): string => printable(text).replaceAll('\n', '\\n')

/** A message of several lines, whose further lines nobody takes for lines of this program. */
export const hanging = (text: string): string => text.replaceAll('\n', '\n    ')

const line = (text: string): string => printable(text.endsWith('\n') ? text : `${text}\n`)

export const out = (text: string): void => {
  process.stdout.write(line(text))
}

export const note = (text: string): void => {
  process.stderr.write(line(text))
}

/**
 * A reader that stops, as in `stagely get secrets
 * grep -q …`, is no failure.
 */
export const endQuietlyWhenNobodyReads = (): void => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? 0 : 1)
    })
  }
}

/** Bytes unchanged; at a terminal as out() prints them. */
export const outBytes = (bytes: Buffer): void => {
  if (process.stdout.isTTY) out(bytes.toString('utf8'))
  else process.stdout.write(bytes)
}

/** The same, as the bytes come. A sign may be in two pieces. */
export const outStream = async (stream: AsyncIterable<Buffer>): Promise<void> => {
  const text = new TextDecoder()
  for await (const chunk of stream) {
    const shown = process.stdout.isTTY ? printable(text.decode(chunk, { stream: true })) : chunk
    if (!process.stdout.write(shown))
      await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}
