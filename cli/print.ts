// The only place that writes to the terminal: results to stdout, everything else to stderr.
import { realClock, type Clock } from '../src/kernel/clock.ts'
import { repeatUntil } from '../src/kernel/async/pause.ts'
import { oneLine, printable } from '../src/kernel/printable.ts'

export { oneLine, printable } from '../src/kernel/printable.ts'

/** A message of several lines, whose further lines nobody takes for lines of this program. */
export const hanging = (text: string, by = 4): string =>
  text.replaceAll('\n', `\n${' '.repeat(by)}`)

const line = (text: string): string => printable(text.endsWith('\n') ? text : `${text}\n`)

let isProgressShown = false
let isProgressWanted = true

/** With `-o json` and the like, nothing but the answer is printed. */
export const wantProgress = (isWanted: boolean): void => {
  isProgressWanted = isWanted
}

const clearProgress = (): void => {
  if (isProgressShown) process.stderr.write('\r\u001b[2K')
  isProgressShown = false
}

const slowMs = 1_000
const betweenMs = 100

/**
 * How far the work is, in one line that the next one takes the place of: only at a terminal, only of what takes over a
 * second, and ten times a second at most. Undefined: the work has ended.
 */
export const startProgress = (
  isTerminal = process.stdout.isTTY && process.stderr.isTTY,
  clock: Pick<Clock, 'monotonic'> = realClock,
): ((text: string | undefined) => void) => {
  let next = clock.monotonic() + slowMs
  return (text) => {
    const now = clock.monotonic()
    if (text !== undefined && (!isTerminal || !isProgressWanted || now < next)) return
    clearProgress()
    if (text === undefined) return
    next = now + betweenMs
    process.stderr.write(oneLine(text).slice(0, (process.stderr.columns || 80) - 1))
    isProgressShown = true
  }
}

/** Of work that says nothing until its end: the text with the seconds, anew each second. */
export const withProgress = async <T>(text: string, work: Promise<T>): Promise<T> => {
  const progress = startProgress()
  const ended = new AbortController()
  let seconds = 0
  const telling = repeatUntil(ended.signal, realClock, {
    everyMs: 1_000,
    work: () => {
      progress(`${text}, ${++seconds} s`)
      return Promise.resolve()
    },
    onFault: () => undefined,
  })
  try {
    return await work
  } finally {
    ended.abort()
    await telling
    progress(undefined)
  }
}

/** Columns of the terminal; undefined where the output goes to a file or another program. */
export const terminalWidth = (): number | undefined =>
  process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined

export const out = (text: string): void => {
  clearProgress()
  process.stdout.write(line(text))
}

export const note = (text: string): void => {
  clearProgress()
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
