import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

it('every test that docs/compose-facts.md names exists', async () => {
  const rows = (await readFile('docs/compose-facts.md', 'utf8'))
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
  expect(rows.length).toBeGreaterThan(30)
  for (const row of rows) {
    const [fact = '', , tests = ''] = row.split(' | ')
    expect(tests, fact).toMatch(/`[^`]+\.test\.ts` "|none|every test of the agent|the bench prints/)
    for (const [, file = '', titles = ''] of tests.matchAll(
      /`([^`]+\.test\.ts)`((?:,? "[^"]+")+)/g,
    )) {
      const text = await readFile(file, 'utf8')
      for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g))
        expect(text.includes(title), `${file}: ${title}`).toBe(true)
    }
  }
})
