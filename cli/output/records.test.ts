import { expect, it } from 'vitest'
import { renderRecords, type RecordView } from './records.ts'

interface Token {
  readonly name: string
  readonly uses?: number
}

const view: RecordView<Token> = {
  columns: [
    { header: 'NAME', cell: (t) => t.name },
    { header: 'USES', cell: (t) => t.uses, wide: true },
  ],
  nameOf: (t) => `token/${t.name}`,
  empty: 'No tokens found.',
}

it('shows wide columns only when asked, and nothing for what is absent', () => {
  const tokens = [{ name: 'ci', uses: 3 }, { name: 'laptop' }]
  expect(renderRecords(tokens, view, false)).toBe('NAME\nci\nlaptop')
  expect(renderRecords(tokens, view, true)).toBe('NAME     USES\nci       3\nlaptop')
})
