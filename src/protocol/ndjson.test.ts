import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLineReader, renderLine } from './ndjson.ts'
import { runs } from '../../test/support/soak.ts'
import { codePoint } from '../../test/support/code-point.ts'

test('lines come out whole however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: codePoint })),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      (texts, cuts) => {
        const bytes = Buffer.from(texts.map(renderLine).join(''))
        const lines: unknown[] = []
        const read = createLineReader(1_000_000, (line) => lines.push(JSON.parse(line)))
        for (let offset = 0; offset < bytes.length;) {
          const size = cuts[offset % cuts.length]!
          read(bytes.subarray(offset, offset + size))
          offset += size
        }
        expect(lines).toEqual(texts)
      },
    ),
    runs(25, 2_000),
  )
})

test('keep-alives are empty lines; an unfinished line is no line', () => {
  const lines: string[] = []
  const read = createLineReader(100, (line) => lines.push(line))
  read(Buffer.from('\n{"a":1}\n\n{"b"'))
  expect(lines).toEqual(['', '{"a":1}', ''])
})

test('a line without end is refused before it fills the memory', () => {
  const read = createLineReader(10, () => undefined)
  read(Buffer.from('12345'))
  expect(() => {
    read(Buffer.from('678901'))
  }).toThrow(/more than 10 bytes/)
})
