// The only place that writes to the terminal: results to stdout, everything else to stderr.
import { printable } from '../src/kernel/printable.ts'

export { oneLine, printable } from '../src/kernel/printable.ts'

/** A message of several lines, whose further lines nobody takes for lines of this program. */
export const hanging = (text: string, by = 4): string =>
  text.replaceAll('\n', `\n${' '.repeat(by)}`)

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
