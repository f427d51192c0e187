import { describe, expect, it } from 'vitest'
import { createLogBuffer } from './buffer.ts'
import type { ShownLogLine } from './record.ts'

const line = (text: string, service = 'web', second = 0): ShownLogLine => ({
  type: 'line',
  service,
  container: `${service}-1`,
  stream: 'stdout',
  time: `2026-01-01T00:00:0${second}.000000000Z`,
  text,
})
const texts = (buffer: ReturnType<typeof createLogBuffer>): string[] =>
  buffer
    .shown()
    .map((row) =>
      row.kind === 'line' ? row.line.text : row.kind === 'dropped' ? `-${row.lines}` : 'end',
    )

describe('createLogBuffer', () => {
  it('keeps the newest lines only, and says how many went', () => {
    const buffer = createLogBuffer(3)
    expect(buffer.add([line('a'), line('b')])).toEqual({ gone: 0, came: 2 })
    expect(buffer.add([line('c'), line('d')])).toEqual({ gone: 1, came: 2 })
    expect(texts(buffer)).toEqual(['b', 'c', 'd'])
    expect(buffer.add(['e', 'f', 'g', 'h'].map((text) => line(text)))).toEqual({ gone: 3, came: 3 })
    expect(texts(buffer)).toEqual(['f', 'g', 'h'])
    expect(buffer.kept()).toBe(3)
  })

  it('is in the order of time, also where one container is read after the other, and leaves each in its own', () => {
    const buffer = createLogBuffer(4)
    buffer.add([line('w1', 'web', 1), line('w5', 'web', 5)])
    expect(buffer.add([line('d2', 'db', 2), line('d6', 'db', 6)])).toEqual({ gone: 0, came: 2 })
    expect(texts(buffer)).toEqual(['w1', 'd2', 'w5', 'd6'])
    // A clock that was set back: what the container said next stays next.
    expect(buffer.add([line('d0', 'db', 0), line('w3', 'web', 3)])).toEqual({ gone: 2, came: 2 })
    expect(texts(buffer)).toEqual(['w5', 'w3', 'd6', 'd0'])
    // Older than all that is kept.
    expect(buffer.add([line('q1', 'queue', 1)])).toEqual({ gone: 0, came: 0 })
  })

  it('shows what holds the text, in any case and through colours, and where lines were dropped', () => {
    const esc = String.fromCharCode(27)
    const buffer = createLogBuffer(10)
    buffer.add([line(`${esc}[31mFA${esc}[0mTAL`), { type: 'dropped', lines: 7 }, line('fine')])
    buffer.filter('fatal')
    expect(texts(buffer)).toEqual([`${esc}[31mFA${esc}[0mTAL`, '-7'])
    expect(buffer.add([line('fine'), line('fatal again')])).toEqual({ gone: 0, came: 1 })
    buffer.filter('')
    expect(buffer.shown()).toHaveLength(5)
  })
})
