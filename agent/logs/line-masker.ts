// Masked lines of one output of one container. Secrets are hidden in the stream of bytes, before it is split into lines,
// so that a secret over several frames or lines is found.
import type { Masker, MaskStream } from '../../src/masking/masker.ts'

interface MaskedLine {
  readonly time: string
  readonly text: string
}

interface LineMasker {
  /** Takes bytes; returns the lines that are complete and masked. */
  take(time: string, bytes: Buffer): MaskedLine[]
  /** The last lines, at the end of the output. */
  end(): MaskedLine[]
}

/** A longer line is cut. */
export const maxLineBytes = 32 * 1024

/** `masker` is called at each write, as new values may come while a log is followed. */
export const createLineMasker = (masker: () => Masker): LineMasker => {
  let used: Masker | undefined
  let stream: MaskStream | undefined
  /** Masked text of a line that has not ended. */
  let pending: Buffer = Buffer.alloc(0)
  let lineTime: string | undefined

  /** Takes a newer masker where there is one; returns the text that the older one had kept back. */
  const current = (): { stream: MaskStream; before: Buffer } => {
    const newest = masker()
    if (stream !== undefined && used === newest) return { stream, before: Buffer.alloc(0) }
    const before = stream?.end() ?? Buffer.alloc(0)
    used = newest
    stream = newest.stream()
    return { stream, before }
  }

  const cut = (time: string, bytes: Buffer): MaskedLine[] => {
    const lines: MaskedLine[] = []
    const add = (line: Buffer): void => {
      lines.push({ time: lineTime ?? time, text: line.toString('utf8').replace(/\r$/, '') })
      lineTime = time
    }
    pending = Buffer.concat([pending, bytes])
    for (;;) {
      const newline = pending.indexOf(10)
      const length = newline < 0 ? pending.length : newline
      if (length > maxLineBytes) {
        const piece = characterEnd(pending, maxLineBytes)
        add(pending.subarray(0, piece))
        pending = pending.subarray(piece)
      } else if (newline >= 0) {
        add(pending.subarray(0, newline))
        pending = pending.subarray(newline + 1)
      } else break
    }
    if (lines.length > 0 && pending.length === 0) lineTime = undefined
    return lines
  }

  return {
    take: (time, bytes) => {
      lineTime ??= time
      const { stream: now, before } = current()
      const certain = now.write(bytes)
      // The masker may keep a newline back, as the beginning of a value. At the end of a line it is passed on.
      const rest = bytes.at(-1) === 10 ? now.flush() : Buffer.alloc(0)
      return cut(time, Buffer.concat([before, certain, rest]))
    },
    end: () => {
      const lines = cut(lineTime ?? '', stream?.end() ?? Buffer.alloc(0))
      const last = pending
      pending = Buffer.alloc(0)
      stream = undefined
      if (last.length > 0) lines.push({ time: lineTime ?? '', text: last.toString('utf8') })
      lineTime = undefined
      return lines
    },
  }
}

/** The last place up to `offset` that is not within a character. */
const characterEnd = (bytes: Buffer, offset: number): number => {
  let end = offset
  while (end > offset - 4 && (bytes[end]! & 0xc0) === 0x80) end--
  return end
}
