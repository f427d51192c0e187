// Each block of commands in the documents runs in a test, or is listed with the reason why not. The flags and words of all
// of them are held to the commands by command-tree.test.ts.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allBlocks } from '../test/support/page-commands.ts'
import { notRun, runElsewhere } from '../test/support/page-blocks.ts'

const root = new URL('../', import.meta.url).pathname

const pages = ['../README.md', ...readdirSync(join(root, 'docs'))].filter((name) =>
  name.endsWith('.md'),
)
const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .map((path) => readFileSync(join(root, 'test', path), 'utf8'))
const read = (text: RegExp): boolean => tests.some((test) => text.test(test))

describe('a block of commands', () => {
  it('is in each table under the words that one block begins with', () => {
    for (const table of [notRun, runElsewhere])
      for (const [page, blocks] of Object.entries(table))
        for (const start of Object.keys(blocks)) {
          const found = allBlocks(page).filter(({ text }) => text.startsWith(start))
          expect([page, start, found.length]).toEqual([page, start, 1])
        }
  })

  it.each(pages.filter((page) => allBlocks(page).length > 0))(
    'of %s runs in a test, or is listed',
    (page) => {
      const listed = { ...notRun[page], ...runElsewhere[page] }
      const others = allBlocks(page).filter(
        ({ text }) => !Object.keys(listed).some((start) => text.startsWith(start)),
      )
      const readsPage = new RegExp(`runPage\\('${page}'|docs/${page}`)
      expect(others.map(({ text }) => text).filter(() => !read(readsPage))).toEqual([])
    },
  )

  it('that runs elsewhere is named in the test that runs it', () => {
    const blocks = Object.entries(runElsewhere).flatMap(([page, starts]) =>
      Object.entries(starts).map(([start, test]) => ({ page, start, test })),
    )
    expect(blocks.length).toBeGreaterThan(5)
    for (const { page, start, test } of blocks) {
      const text = readFileSync(join(root, test), 'utf8')
      const ways = [`part: '${start}`, `commands_of ${page}`, `\`${start}\``]
      const isRun = ways.some((way) => text.includes(way))
      expect([page, start, isRun]).toEqual([page, start, true])
    }
  })
})
