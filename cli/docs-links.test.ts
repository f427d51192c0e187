import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { expect, it } from 'vitest'

const root = new URL('../', import.meta.url).pathname
const inDocs = await readdir(join(root, 'docs'), { recursive: true })
const atTop = [
  'README.md',
  'ARCHITECTURE.md',
  'DEVELOPERS.md',
  'CHANGELOG.md',
  'test/README.md',
  'test/bench/results.md',
]
const pages = [...atTop, ...inDocs.map((name) => join('docs', name))].filter((name) =>
  name.endsWith('.md'),
)

/** Without what is in code blocks, where `#` begins a comment. */
const texts = new Map<string, string>()
for (const page of pages) {
  const text = await readFile(join(root, page), 'utf8')
  texts.set(page, text.replace(/^```[^]*?^```/gm, ''))
}

/** As GitHub makes them of headings. */
const anchorsOf = (page: string): Set<string> => {
  const headings = (texts.get(page) ?? '').matchAll(/^#+ (.+)$/gm)
  const anchorOf = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
  return new Set([...headings].map(([, heading = '']) => anchorOf(heading)))
}

interface Link {
  readonly page: string
  readonly link: string
}

const links: Link[] = [...texts].flatMap(([page, text]) =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => ({ page, link }))
    .filter(({ link }) => !/^[a-z]+:/.test(link)),
)

const isBroken = ({ page, link }: Link): boolean => {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), path))
  if (!existsSync(join(root, target))) return true
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor)
}

it('every link of the documentation leads to a file, and to a heading where it names one', () => {
  expect(links.length).toBeGreaterThan(50)
  expect(links.filter(({ link }) => link.includes('#')).length).toBeGreaterThan(10)
  expect(links.filter(isBroken)).toEqual([])
})
