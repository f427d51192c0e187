// The only place that writes to the terminal: results to stdout, everything else to stderr.

/** Log lines of containers end up here: what they hold must not steer the reader's terminal. */
export const printable = (text: string): string =>
  text.replace(/[^\P{Cc}\n\t]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)

const line = (text: string): string => printable(text.endsWith('\n') ? text : `${text}\n`)

export const out = (text: string): void => {
  process.stdout.write(line(text))
}

export const note = (text: string): void => {
  process.stderr.write(line(text))
}

/** `stagely get secrets | grep -q …` is no failure: whoever reads has what he wants. */
export const endQuietlyWhenNobodyReads = (): void => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? 0 : 1)
    })
  }
}

/** Bytes as they are; at a terminal as `out` shows them. */
export const outBytes = (bytes: Buffer): void => {
  if (process.stdout.isTTY) out(bytes.toString('utf8'))
  else process.stdout.write(bytes)
}
