// Commands of the documentation that a reader copies.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = new URL('../', import.meta.url).pathname
const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'))
const files = [
  'README.md',
  'cli/commands/agent.ts',
  'charts/stagely/templates/NOTES.txt',
  ...docs.map((name) => `docs/${name}`),
]

it('every agent that is started or installed is told where its stacks lie', async () => {
  const starts: string[] = []
  for (const file of files)
    for (const line of (await readFile(join(root, file), 'utf8')).split('\n'))
      if (/agent (?:run|install) .*--(?:data-dir|join)/.test(line)) starts.push(`${file}: ${line}`)
  expect(starts.length).toBeGreaterThan(8)
  expect(starts.filter((line) => !line.includes('--allow-dir'))).toEqual([])
})
