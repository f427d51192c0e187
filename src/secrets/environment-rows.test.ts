import { describe, expect, it } from 'vitest'
import { compareEnvironments, comparisonText, environmentRows, rowId } from './environment-rows.ts'
import type { ProjectEntry } from './set-entry.ts'

const environments = [
  { name: 'production' },
  { name: 'staging' },
  { name: 'preview', inherits: 'Nothing' },
]
const names = environments.map(({ name }) => name)

let count = 0
const entry = (key: string, scope: string, more: Partial<ProjectEntry> = {}): ProjectEntry => ({
  secretId: `uid-${++count}`,
  name: `${key}.${scope}.${count}`,
  version: 1,
  key,
  scope,
  type: 'env',
  bytes: 0,
  valueDigest: '',
  ...more,
})

const shown = (entries: readonly ProjectEntry[]): Record<string, string> =>
  Object.fromEntries(
    environmentRows(entries, environments).map((row) => [
      rowId(row).replace('\n', '/'),
      names.map((name) => row.environments.get(name)?.from ?? 'none').join(' '),
    ]),
  )

describe('keys of environments', () => {
  it('are inherited from the project, but where an environment has its own or inherits nothing', () => {
    const secrets = [
      entry('A', 'global'),
      entry('B', 'global'),
      entry('B', 'global', { environments: ['preview', 'staging'] }),
      entry('C', 'web', { environments: ['production'] }),
    ]
    expect(shown(secrets)).toEqual({
      'A/global': 'Inherited Inherited none',
      'B/global': 'Inherited Own Own',
      'C/web': 'Own none none',
    })
  })

  it('are what a service sees: the global secret of an environment wins over that of the project for the service', () => {
    const secrets = [entry('A', 'web'), entry('A', 'global', { environments: ['staging'] })]
    expect(shown(secrets)).toEqual({
      'A/global': 'none Own none',
      'A/web': 'Inherited Own none',
    })
  })

  it('have a row without a value too, and name stagelets with a secret of their own', () => {
    const secrets = [
      entry('A', 'web', { version: 0 }),
      entry('B', 'web', { stagelet: 'prod' }),
      entry('C', 'global', { stagelet: '@controller' }),
    ]
    expect(shown(secrets)).toEqual({
      'A/web': 'none none none',
      'B/web': 'none none none',
      'C/global': 'none none none',
    })
    const [, b, c] = environmentRows(secrets, environments)
    expect([b?.stagelets, b?.isForController]).toEqual([['prod'], false])
    expect([c?.stagelets, c?.isForController]).toEqual([[], true])
  })
})

describe('the difference between environments', () => {
  const of = (
    entries: readonly ProjectEntry[],
    areEqual: boolean | undefined,
    among: readonly string[] = names,
  ): string | undefined => {
    const [row] = environmentRows(entries, environments)
    const found = compareEnvironments(row!, among, () => areEqual)
    return found && comparisonText(found, among)
  }
  const all = names.map((name) => entry('A', 'web', { environments: [name] }))

  it.each([
    ['equal', all, true],
    ['different', all, false],
    ['not compared', all, undefined],
    ['different, missing in preview', all.slice(0, 2), false],
    ['only in production', all.slice(0, 1), false],
    // One secret is equal to itself, whoever asks.
    ['equal, missing in preview', [entry('A', 'web')], undefined],
  ] as const)('is "%s"', (text, entries, areEqual) => {
    expect(of(entries, areEqual)).toBe(text)
  })

  it('is of values as they are written where one refers to others', () => {
    const template = { ...all[1]!, references: ['B'] }
    expect(of([all[0]!, template], true, ['production', 'staging'])).toBe('equal as written')
    expect(of([all[0]!, template], false, ['production', 'staging'])).toBe('different')
  })

  it('is none where nobody has the key', () => {
    expect(of([entry('A', 'web', { stagelet: 'prod' })], true)).toBeUndefined()
  })
})
