// NDJSON framing: one JSON text on each line; an empty line is a keep-alive.
import { StagelyError } from '../kernel/errors.ts'

export const renderLine = (message: unknown): string => `${JSON.stringify(message)}\n`

/**
 * Cuts bytes into lines, however they are split into chunks. `onLine` gets each complete line without
 * its end. An unfinished last line is dropped. Throws BadRequest when a line exceeds `maxBytes`.
 */
export const createLineReader = (
  maxBytes: number,
  onLine: (line: string) => void,
): ((chunk: Buffer) => void) => {
  let parts: Buffer[] = []
  let held = 0
  return (chunk) => {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end)
      const line = parts.length === 0 ? tail : Buffer.concat([...parts, tail])
      parts = []
      held = 0
      from = end + 1
      onLine(line.toString('utf8'))
    }
    if (from === chunk.length) return
    parts.push(chunk.subarray(from))
    held += chunk.length - from
    if (held > maxBytes) {
      throw new StagelyError('BadRequest', `a line has more than ${maxBytes} bytes`)
    }
  }
}
