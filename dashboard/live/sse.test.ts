import { expect, it } from 'vitest'
import * as fc from 'fast-check'
import { createSseReader, type SseMessage } from './sse.ts'

const stream =
  'id: 7\nevent: ready\ndata: {}\n\n: alive\n\nid: 8\nevent: secret\ndata: {"a":\ndata: 1}\n\n: alive\r\n\r\ndata: x\n\n'

const read = (pieces: readonly string[]): SseMessage[] => {
  const messages: SseMessage[] = []
  const reader = createSseReader((message) => messages.push(message))
  for (const piece of pieces) reader(piece)
  return messages
}

it('reads messages, and leaves comments alone', () => {
  expect(read([stream])).toEqual([
    { event: 'ready', id: '7', data: '{}' },
    { event: 'secret', id: '8', data: '{"a":\n1}' },
    { event: 'message', id: '8', data: 'x' },
  ])
})

it('reads the same however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), stream.length]
      const pieces = at.slice(1).map((end, i) => stream.slice(at[i], end))
      expect(read(pieces)).toEqual(read([stream]))
    }),
  )
})
