// The pages of the documents as a whole: where they are found, how long they are, and what is generated of them.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { conditionTypes } from '../src/kinds/condition-types.ts'
import { readConditions } from '../scripts/reference/conditions.ts'
import { navigation, type Entry } from '../scripts/site/navigation.mjs'
import { pagesOf } from '../scripts/site/pages.mjs'

const root = new URL('../', import.meta.url).pathname
const pages = pagesOf(root)

const linksOf = (entries: readonly Entry[]): string[] =>
  entries.flatMap(({ link, items = [] }) => [
    ...(link === undefined ? [] : [link.slice(1)]),
    ...linksOf(items),
  ])

describe('the site', () => {
  it('leads to each page by its navigation, once; decisions have a list of their own', () => {
    const listed = linksOf(navigation)
    const own = [...pages.values()]
      .filter((name) => !name.startsWith('adr/') || name === 'adr/index.md')
      .map((name) => name.replace(/(?:index)?\.md$/, ''))
    expect(listed.length).toBeGreaterThan(20)
    expect(listed.sort()).toEqual(own.sort())
  })

  it('has few words outside of what is generated, so that a reader gets to the end', async () => {
    const written = [...pages.keys()].filter((page) => /^docs\/(?!proof\b)[^/]+\.md$/.test(page))
    const texts = await Promise.all(written.map((page) => readFile(join(root, page), 'utf8')))
    const counts = texts.map((text) => text.split(/\s+/).filter((word) => word !== '').length)
    expect(counts.length).toBeGreaterThan(15)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(35_000)
  })
})

describe('a table of a page', () => {
  it('has no paragraph in a cell; only compliance goes through points of standards', async () => {
    const long: string[] = []
    for (const page of pages.keys()) {
      if (!/^docs\/[^/]+\.md$/.test(page) || page === 'docs/compliance.md') continue
      const text = (await readFile(join(root, page), 'utf8')).replace(/^```[^]*?^```/gm, '')
      const cells = text
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .flatMap((line) => line.split(' | '))
      long.push(...cells.filter((cell) => cell.length > 160).map((cell) => `${page}: ${cell}`))
    }
    expect(long).toEqual([])
  })
})

/** Of answers of the API, and of faults within a program: no condition and no event has them. */
const isOfAnswers = (reason: string): boolean =>
  /^FieldValue|^(FieldManagerConflict|InternalError|PolicyOverdue|ResourceVersionTooLarge)$/.test(
    reason,
  )

describe('docs/reference/conditions.md', () => {
  const { conditions, events } = readConditions()
  const ofConditions = Object.values(conditions)
    .flatMap((types) => Object.values(types))
    .flatMap(({ reasons }) => Object.keys(reasons))
  const listed = new Set([...ofConditions, ...Object.keys(events)])

  const sources = async (): Promise<string> => {
    const texts = await Promise.all(
      ['src', 'controller', 'agent'].map(async (part) => {
        const paths = await readdir(join(root, part), { recursive: true })
        const ours = paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
        return Promise.all(ours.map((path) => readFile(join(root, part, path), 'utf8')))
      }),
    )
    return texts.flat().join('\n')
  }

  it('names each reason that the programs write, and no other', async () => {
    const text = await sources()
    const written = [
      ...text.matchAll(/reason: '([A-Z]\w+)'|\b(?:yes|no|unknown)\(\s*'([A-Z]\w+)'/g),
    ]
    const reasons = written.map(([, first, second]) => first ?? second!)
    expect(reasons.length).toBeGreaterThan(150)
    expect([...new Set(reasons)].filter((r) => !listed.has(r) && !isOfAnswers(r))).toEqual([])
    expect([...listed].filter((reason) => !new RegExp(`\\b${reason}\\b`).test(text))).toEqual([])
  })

  it('has each condition of whose good state the programs know, and no other', () => {
    const namesOf = (table: Readonly<Record<string, object>>): string[] =>
      Object.entries(table).flatMap(([kind, types]) =>
        Object.keys(types).map((type) => `${kind} ${type}`),
      )
    const { Team: ofTeams, ...others } = conditions
    const listed = namesOf({ ...others, Namespace: ofTeams! })
    expect(namesOf(conditionTypes).sort()).toEqual(listed.sort())
  })

  it('names each condition only of a kind that there is', () => {
    expect(Object.keys(conditions)).toContain('Stagelet')
    expect(listed.size).toBeGreaterThan(100)
  })
})
