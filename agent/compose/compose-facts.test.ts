import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

/** Titles of the tests in a source: what follows `it(`, `itOnce(` and such, or what `it.each(…)` returns. */
const titlesIn = (source: string): string[] =>
  [...source.matchAll(/(?:\b(?:it|test)\w*|\))\(\s*(['"`])((?:\\.|(?!\1).)*)\1,/g)].map(
    ([, , title = '']) => title,
  )

it('every test that agent/compose/facts.md names exists', async () => {
  const rows = (await readFile('agent/compose/facts.md', 'utf8'))
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
  expect(rows.length).toBeGreaterThan(30)
  for (const row of rows) {
    const [fact = '', , tests = ''] = row.split(' | ')
    expect(tests, fact).toMatch(/`[^`]+\.test\.ts` "|^none: \S/)
    for (const [, file = '', titles = ''] of tests.matchAll(
      /`([^`]+\.test\.ts)`((?:,? "[^"]+")+)/g,
    )) {
      const found = titlesIn(await readFile(file, 'utf8'))
      for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g))
        expect(
          found.some((t) => t.includes(title)),
          `${file}: ${title}`,
        ).toBe(true)
    }
  }
})
