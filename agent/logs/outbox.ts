// Lines of one session that wait to be sent. Bounded, so that a slow reader costs little memory and delays nobody.
import type { LogLine, LogRecord } from '../../src/protocol/logs.ts'

export interface LogOutbox {
  /** Takes a line when there is room for it. */
  put(line: LogLine): Promise<void>
  /** Takes a line, or counts it as dropped where there is no room. */
  putOrDrop(line: LogLine): void
  /** The next records in order, about 256 KiB at most. */
  take(): LogRecord[]
  /** Resolves when there is something to take. */
  filled(): Promise<void>
}

const maxBytes = 1024 * 1024
const maxBatchBytes = 256 * 1024

export const createOutbox = (limit = maxBytes): LogOutbox => {
  const waiting: LogLine[] = []
  let bytes = 0
  /** Lines that were dropped after the last one that waits. */
  let dropped = 0
  const room: (() => void)[] = []
  const filled: (() => void)[] = []

  const wake = (list: (() => void)[]): void => list.splice(0).forEach((go) => go())
  const add = (line: LogLine): void => {
    waiting.push(line)
    bytes += sizeOf(line)
    wake(filled)
  }
  return {
    put: async (line) => {
      while (bytes >= limit) await new Promise<void>((resolve) => room.push(resolve))
      add(line)
    },
    putOrDrop: (line) => {
      // After a dropped line all are dropped until the gap is told, so that it is told in the right place.
      if (bytes >= limit || dropped > 0) dropped += 1
      else add(line)
    },
    take: () => {
      const batch: LogRecord[] = []
      let size = 0
      while (waiting.length > 0 && size < maxBatchBytes) {
        const line = waiting.shift()!
        size += sizeOf(line)
        batch.push(line)
      }
      bytes -= size
      if (waiting.length === 0 && dropped > 0) {
        batch.push({ type: 'dropped', lines: dropped })
        dropped = 0
      }
      wake(room)
      return batch
    },
    filled: () =>
      waiting.length > 0 || dropped > 0
        ? Promise.resolve()
        : new Promise((resolve) => filled.push(resolve)),
  }
}

const sizeOf = (line: LogLine): number => line.text.length + 200
