// The only place that writes to the terminal: results to stdout, everything else to stderr.

/** Replaces control characters: logs of containers must not control the reader's terminal. */
export const printable = (text: string): string =>
  text.replace(/[^\P{Cc}\n\t]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)

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
