import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderCircles, importCircles, siblingCircles } from '../test/support/import-circles.ts'

const root = new URL('../', import.meta.url).pathname
const text = await readFile(join(root, 'ARCHITECTURE.md'), 'utf8')
const page = text.replace(/^```[^]*?^```/gm, '')

const codeIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

/** `a/{b,c}.ts` names two files. */
const pathsIn = (name: string): string[] => {
  const [, before = '', list = '', after = ''] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? []
  return list === '' ? [name] : list.split(',').map((one) => `${before}${one}${after}`)
}

/** Files and folders that a page names. */
const namedIn = (text: string): string[] =>
  codeIn(text)
    .filter((code) => /^(src|controller|dashboard|agent|cli|test|scripts|docs)\/[^ ]*$/.test(code))
    .flatMap(pathsIn)

const isMissing = (path: string): boolean => !existsSync(join(root, path))
const named = namedIn(page)

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
    expect(named.filter(isMissing)).toEqual([])
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

/** Errors of programs and libraries that have no code; and words of conditions that this program has written itself. */
const mayReadWords = [
  'agent/tasks/mariadb.ts',
  'controller/reconcilers/stagelet/activity.ts',
  'controller/start-fault.ts',
  'controller/stores/remembered.ts',
  'src/attention/attention.ts',
  'src/resources/validation/faults.ts',
  'src/store/drivers/pg.ts',
]
/** The checked ways of `typed.ts`, and objects whose kind nobody knows. */
const mayCast = [
  'cli/init/manifests.ts',
  'cli/secrets/delete.ts',
  'cli/secrets/rollback.ts',
  'src/kinds/secret/verdicts.ts',
  'src/kinds/typed.ts',
]

const decisions = (await readdir(join(root, 'docs/adr'))).filter((name) => /^\d{4}-/.test(name))
const parts = ['src', 'controller', 'dashboard', 'agent', 'cli', 'scripts', 'docs', 'test']

/** Sources and documents of a part, by their path. */
const textsOf = async (part: string): Promise<[path: string, text: string][]> => {
  const paths = await readdir(join(root, part), { recursive: true })
  const texts = paths.filter((path) => /\.(tsx?|mjs|md)$/.test(path))
  return Promise.all(
    texts.map(async (path) => [`${part}/${path}`, await readFile(join(root, part, path), 'utf8')]),
  )
}

describe('docs/adr', () => {
  it('names files and folders that exist', async () => {
    const texts = await Promise.all(
      decisions.map((name) => readFile(join(root, 'docs/adr', name), 'utf8')),
    )
    const paths = texts.flatMap(namedIn)
    expect(paths.length).toBeGreaterThan(30)
    expect(paths.filter(isMissing)).toEqual([])
  })

  it('lists each decision once', async () => {
    const list = await readFile(join(root, 'docs/adr/README.md'), 'utf8')
    const listed = [...list.matchAll(/\]\((\d{4}-[^)]+)\)/g)].map(([, name]) => name!)
    expect(listed.sort()).toEqual([...decisions].sort())
  })

  it('has each decision that sources and documents name', async () => {
    const numbers = new Set(decisions.map((name) => name.slice(0, 4)))
    const atTop = ['ARCHITECTURE.md', 'DEVELOPERS.md'].map(
      async (path) => [path, await readFile(join(root, path), 'utf8')] as const,
    )
    const texts = [...(await Promise.all(parts.map(textsOf))).flat(), ...(await Promise.all(atTop))]
    const mentions = texts.flatMap(([path, text]) =>
      [...text.matchAll(/(?<!\w)(?:ADR |docs\/adr\/)(\d{4})/g)].map(([, number]) => ({
        path,
        number,
      })),
    )
    expect(mentions.length).toBeGreaterThan(30)
    expect(mentions.filter(({ number }) => !numbers.has(number!))).toEqual([])
  })
})

describe('a comment', () => {
  it('names files that exist', async () => {
    const texts = (await Promise.all(parts.map(textsOf))).flat()
    const paths = texts.map(([path]) => `/${path}`)
    const named = texts
      .filter(([path]) => /\.tsx?$/.test(path))
      .flatMap(([path, text]) =>
        [...text.matchAll(/(?:\/\/|^ *\*|\/\*\*)(.*)$/gm)].flatMap(([, comment = '']) =>
          [...comment.matchAll(/(?<![\w./<{`@-])((?:[\w-]+\/)*[a-z][\w-]*\.tsx?)\b/g)].map(
            ([, file]) => ({ path, file: file! }),
          ),
        ),
      )
    expect(named.length).toBeGreaterThan(50)
    expect(named.filter(({ file }) => !paths.some((path) => path.endsWith(`/${file}`)))).toEqual([])
  })
})

const programs = ['src', 'controller', 'agent', 'cli', 'dashboard']

/** Sources that hold a text like this, without their tests. */
const filesWith = async (pattern: RegExp): Promise<string[]> => {
  const sources = (await Promise.all(programs.map(textsOf))).flat()
  return sources
    .filter(([path, text]) => isSource(path) && pattern.test(text))
    .map(([path]) => path)
    .sort()
}

describe('a promise of ARCHITECTURE.md', () => {
  it('draws each state of a rotation that there is, and no other', async () => {
    const machine = await readFile(join(root, 'controller/rotators/machine/machine.ts'), 'utf8')
    const [, table = ''] = /^export const decisions[^{]*\{$([^]*?)^\}/m.exec(machine) ?? []
    const states = [...table.matchAll(/^ {2}(\w+):/gm)].map(([, state]) => state!)
    const drawn = text.split('## A rotation')[1]?.split('```')[1] ?? ''
    expect(states.length).toBeGreaterThan(10)
    expect(new Set(drawn.match(/\b[A-Z]\w+/g))).toEqual(new Set(states))
  })

  it('lets no other file read the words of an error, or of a condition', async () => {
    const reads =
      /(\.test|\.exec)\((messageOf\(|\w*error\.message|stderr)|(messageOf\(\w+\)|\w*\.message)\??\.(includes|startsWith|endsWith|match)\(/i
    expect(await filesWith(reads)).toEqual(mayReadWords)
  })

  it('lets no other file cast a spec or a status', async () => {
    const casts =
      /\.(spec|status)\)? as (?!const\b|ContentfulStatusCode)|\.(spec|status) \?\? \{\}\) as |\(\(?(spec|status)( \?\? \{\}\))? as (Partial|Pick|[A-Z]\w*(Spec|Status))|\.(spec|status) as \{/
    expect(await filesWith(casts)).toEqual(mayCast)
  })
})

describe('a table whose rows the controller holds in memory', () => {
  /** Of rows that are gone from memory by then. */
  const mayDrop = ['src/store/audit/erase.ts', 'src/store/secrets/deleted-secrets.ts']

  it('is written by commits, and by no statement of another file', async () => {
    const writes =
      /\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:objects|projects|deleted_secrets|former_namespaces)\b/
    const stores = await textsOf('src/store')
    const found = stores.filter(([path, text]) => path.endsWith('.ts') && writes.test(text))
    expect(found.map(([path]) => path).sort()).toEqual(mayDrop)
  })
})

describe('docs/glossary.md', () => {
  it('names files, folders and words of the code that exist', async () => {
    const files = ['docs/glossary.md', 'DEVELOPERS.md']
    const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')))
    const glossary = texts.join('\n')
    expect(namedIn(glossary).filter(isMissing)).toEqual([])
    const rows = glossary.split('\n').filter((line) => line.startsWith('| **'))
    const words = rows
      .flatMap((row) => codeIn(row.split('|')[3] ?? ''))
      .filter((word) => !word.includes('/'))
      .map((word) => word.split('.').at(-1)!)
    const sources = (await Promise.all(['src', 'controller', 'agent'].map(textsOf))).flat()
    const schema = await readFile(join(root, 'src/store/drivers/migrations/0065-baseline.sql'))
    const all = [...sources.map(([, text]) => text), schema.toString()].join('\n')
    expect(words.length).toBeGreaterThan(20)
    expect(words.filter((word) => !new RegExp(`\\b${word}\\b`).test(all))).toEqual([])
  })
})

const isSource = (path: string): boolean =>
  /\.(ts|tsx|mjs)$/.test(path) && !/\.test\.tsx?$/.test(path)

describe('a folder', () => {
  it('holds no link, since packages and copies of the tree lose links', async () => {
    const atTop = await readdir(root, { withFileTypes: true })
    const below = [...parts, 'crds', 'charts', 'packaging', 'integrations'].map((part) =>
      readdir(join(root, part), { recursive: true, withFileTypes: true }),
    )
    const entries = [...atTop, ...(await Promise.all(below)).flat()]
    expect(entries.length).toBeGreaterThan(2_000)
    expect(entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => name)).toEqual([])
  })
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

const sources = new Map<string, string>()
for (const part of ['src', 'controller', 'dashboard', 'agent', 'cli'])
  for (const path of await readdir(join(root, part), { recursive: true }))
    if (isSource(path))
      sources.set(`${part}/${path}`, await readFile(join(root, part, path), 'utf8'))

describe('an import', () => {
  const files = new Map(
    Object.entries({
      'a/x/one.ts': "import type { Two } from './two.ts'\nimport { four } from '../y/four.ts'",
      'a/x/two.ts': "export type { Three } from '../y/three.ts'",
      'a/y/three.ts': "const late = () => import('../x/one.ts')",
      'a/y/four.ts': "import { readFile } from 'node:fs/promises'",
      'a/five.ts': "import { one } from './x/one.ts'",
      'b/six.ts': "import './x/seven.ts'",
      'b/x/seven.ts': "import './z/eight.ts'\nimport '../../a/five.ts'",
      'b/x/z/eight.ts': "import '../y/nine.ts'",
      'b/x/y/nine.ts': "import '../z/ten.ts'",
      'b/x/z/ten.ts': "import '../eleven.ts'",
      'b/x/eleven.ts': '',
    }),
  )

  it('makes a circle where it leads back, even for a type', () => {
    expect(importCircles(files)).toEqual([['a/x/one.ts', 'a/x/two.ts', 'a/y/three.ts']])
    expect(folderCircles(files, 'a')).toEqual([['a/x', 'a/y']])
    expect(siblingCircles(files, 'a')).toEqual([['a/x', 'a/y']])
  })

  it('may go both ways between a folder and what lies in it, and one way among these', () => {
    expect(siblingCircles(files, 'b')).toEqual([['b/x/y', 'b/x/z']])
  })

  it('leads back to no file, so that each part can be understood alone', () => {
    expect(sources.size).toBeGreaterThan(1_000)
    expect(importCircles(sources)).toEqual([])
  })

  it.each(['src', 'agent', 'cli'])('runs one way between the folders of %s', (part) => {
    expect(folderCircles(sources, part)).toEqual([])
  })

  it.each(['controller', 'dashboard'])('runs one way between the parts of %s', (part) => {
    expect(siblingCircles(sources, part)).toEqual([])
  })
})

const wordsOf = (text: string): Set<string> => new Set(text.match(/[\p{L}_$][\p{L}\d_$]*/gu))

describe('an export', () => {
  it('is named by another file, so that what a file keeps for itself may change', async () => {
    const all = new Map(sources)
    for (const part of ['test', 'scripts', ...programs])
      for (const [path, text] of await textsOf(part)) all.set(path, text)
    const users = new Map<string, number>()
    for (const text of all.values())
      for (const word of wordsOf(text)) users.set(word, (users.get(word) ?? 0) + 1)
    const unused = [...sources].flatMap(([path, text]) =>
      [...text.matchAll(/^export (?:async )?(?:const|function|type|interface|class) ([\w$]+)/gm)]
        .map(([, name]) => name!)
        .filter((name) => users.get(name) === 1)
        .map((name) => `${path}: ${name}`),
    )
    expect(unused).toEqual([])
  })
})
