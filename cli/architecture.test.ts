import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url).pathname
const text = await readFile(join(root, 'ARCHITECTURE.md'), 'utf8')
const page = text.replace(/^```[^]*?^```/gm, '')

const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

/** `a/{b,c}.ts` names two files. */
const pathsIn = (name: string): string[] => {
  const [, before = '', list = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? []
  return list === '' ? [name] : list.split(',').map((one) => `${before}${one}${after}`)
}

const named = codeIn(page)
  .filter((code) => /^(src|controller|dashboard|agent|cli|test|scripts|docs)\/[^ ]*$/.test(code))
  .flatMap(pathsIn)

/** Rows of "One write, walked". */
const [, walk = ''] = /^## One write, walked$([^]*?)^## /m.exec(page) ?? []
const steps = walk
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|'))
  .map(([, file = '', functions = '']) => ({
    file: codeIn(file)[0]!,
    functions: codeIn(functions),
  }))

describe('ARCHITECTURE.md', () => {
  it('names files and folders that exist', () => {
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('walks one write through at most 15 files, each once', () => {
    expect(steps.length).toBeGreaterThan(10)
    expect(steps.length).toBeLessThanOrEqual(15)
    expect(new Set(steps.map(({ file }) => file)).size).toBe(steps.length)
  })

  it.each(steps)('names functions that $file defines', async ({ file, functions }) => {
    const source = await readFile(join(root, file), 'utf8')
    const parts = functions.flatMap((name) => name.split('.'))
    const defines = (name: string): boolean =>
      new RegExp(`(const|class) ${name}\\b|^  (async )?\\*?${name}[(<]`, 'm').test(source)
    expect(parts.filter((name) => !defines(name))).toEqual([])
    expect(source.split('\n').length).toBeLessThanOrEqual(301)
  })
})

const isSource = (path: string): boolean =>
  /\.(ts|tsx|mjs)$/.test(path) && !/\.test\.tsx?$/.test(path)

describe('a folder', () => {
  it.each(['src', 'controller', 'dashboard', 'agent', 'cli', 'scripts', 'test/support'])(
    'of %s holds at most 40 sources, so that one look tells what is there',
    async (part) => {
      const counts = new Map<string, number>()
      const paths = await readdir(join(root, part), { recursive: true })
      for (const folder of paths.filter(isSource).map((path) => dirname(path)))
        counts.set(folder, (counts.get(folder) ?? 0) + 1)
      expect(counts.size).toBeGreaterThan(0)
      expect([...counts].filter(([, count]) => count > 40)).toEqual([])
    },
  )
})
