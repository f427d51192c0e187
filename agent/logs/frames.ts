// Splits a container's log into frames: what the container wrote at once, with its time.
import type { EngineLog } from '../docker/engine.ts'

export interface LogFrame {
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  /** One line with its newline, or a piece of a long one without. */
  readonly bytes: Buffer
}

const stampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z $/
const stampBytes = '2006-01-02T15:04:05.000000000Z '.length
/** The engine cuts longer lines into pieces, each with a timestamp. */
const pieceBytes = 16_384
const maxFrameBytes = 4 * 1024 * 1024

/** The frames of a log, in order. Throws when the engine sends something else. */
export const readFrames = ({ tty, bytes }: EngineLog): AsyncGenerator<LogFrame, void, undefined> =>
  tty ? readRaw(bytes) : readMultiplexed(bytes)

const stampAt = (bytes: Buffer, offset: number): string | undefined => {
  const text = bytes.toString('latin1', offset, offset + stampBytes)
  return stampPattern.test(text) ? text.trimEnd() : undefined
}

/** `[1|2,0,0,0,length]`, then a timestamp and what was written. */
const readMultiplexed = async function* (
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<LogFrame, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let offset = 0
    while (offset + 8 <= rest.length) {
      const length = rest.readUInt32BE(offset + 4)
      if (length > maxFrameBytes) throw new Error(`a log frame of ${length} bytes`)
      if (offset + 8 + length > rest.length) break
      const payload = rest.subarray(offset + 8, offset + 8 + length)
      yield frameOf(rest[offset] === 2 ? 'stderr' : 'stdout', payload)
      offset += 8 + length
    }
    rest = rest.subarray(offset)
  }
}

const frameOf = (stream: LogFrame['stream'], payload: Buffer): LogFrame => {
  const time = stampAt(payload, 0)
  return time === undefined
    ? { stream, time: '', bytes: payload }
    : { stream, time, bytes: payload.subarray(stampBytes) }
}

/**
 * The log of a container with a tty. It has no frames, and the timestamps of the pieces of a long line stand within the
 * line, where they could split a secret, so that the masker would miss it.
 */
const readRaw = async function* (
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<LogFrame, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const end = endOfPiece(rest)
      if (end === undefined) break
      yield frameOf('stdout', rest.subarray(0, end))
      rest = rest.subarray(end)
    }
    if (rest.length > maxFrameBytes) throw new Error('a log line without an end')
  }
  if (rest.length > 0) yield frameOf('stdout', rest)
}

/** End of the first piece: after its newline, or before the next timestamp of a long line. */
const endOfPiece = (bytes: Buffer): number | undefined => {
  const newline = bytes.indexOf(10)
  const line = newline < 0 ? bytes.length : newline
  for (let offset = stampBytes + pieceBytes; offset + stampBytes <= line; offset++)
    if (stampAt(bytes, offset) !== undefined) return offset
  return newline < 0 ? undefined : newline + 1
}
