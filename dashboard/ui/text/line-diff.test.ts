import fc from 'fast-check'
import { expect, it } from 'vitest'
import { lineDiff } from './line-diff.ts'

const text = (before: string, after: string): string[] =>
  lineDiff(before, after).map(
    ({ kind, text: line }) => ({ same: '  ', gone: '- ', new: '+ ' })[kind] + line,
  )

it('says what is gone and what is new, and keeps what is in both', () => {
  expect(text('a: 1\nb: 2\nc: 3\n', 'a: 1\nb: 4\nc: 3\nd: 5\n')).toEqual([
    ...['  a: 1', '- b: 2', '+ b: 4', '  c: 3', '+ d: 5'],
  ])
  expect(text('', 'a: 1\n')).toEqual(['+ a: 1'])
  expect(text('a: 1\n', 'a: 1\n')).toEqual(['  a: 1'])
})

it('has both texts in it, whatever they are', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const found = lineDiff(before.join('\n'), after.join('\n'))
      const of = (kind: 'gone' | 'new'): string[] =>
        found.filter((line) => line.kind === kind || line.kind === 'same').map((line) => line.text)
      expect([of('gone'), of('new')]).toEqual([before, after])
    }),
  )
})
