import { describe, expect, it } from 'vitest'
import { createLogBuffer } from './buffer.ts'
import type { LogLine } from './record.ts'

const line = (text: string, service = 'web'): LogLine => ({
  ...{ type: 'line', service, container: `${service}-1`, stream: 'stdout' },
  ...{ time: '2026-01-01T00:00:00.000000000Z', text },
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
