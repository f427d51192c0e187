// What a run of the tests comes to, when red files were run once more by themselves.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesToRunAgain, mostRunAgain, outcomeOf } from './outcome.mjs'
import type { Results, Unsteady } from './outcome.mjs'

type Statuses = Record<string, string>

/** Tests and their statuses by the file; a file with a red test is red, and so is one without any test. */
const resultsOf = (files: Record<string, Statuses>, unhandled = 0): Results => ({
  unhandled,
  testResults: Object.entries(files).map(([name, tests]) => {
    const statuses = Object.values(tests)
    const isRed = statuses.length === 0 || statuses.includes('failed')
    return {
      name: `/repository/${name}`,
      status: isRed ? 'failed' : 'passed',
      assertionResults: Object.entries(tests).map(([title, status]) => ({
        status,
        ancestorTitles: ['', 'a group'],
        title,
      })),
    }
  }),
})

const outcome = (
  first: Results | undefined,
  more: Partial<Parameters<typeof outcomeOf>[0]> = {},
): ReturnType<typeof outcomeOf> =>
  outcomeOf({
    results: first,
    exitCode: first?.testResults.some(({ status }) => status === 'failed') === false ? 0 : 1,
    again: [],
    listed: [],
    checks: ['generated files are fresh=pass'],
    maySkip: false,
    root: '/repository',
    ...more,
  })

const file = 'test/a.test.ts'
const name = `${file} › a group › one`
const first = resultsOf({ [file]: { one: 'failed', two: 'passed' }, 'b.test.ts': { b: 'passed' } })
const green = resultsOf({ [file]: { one: 'passed', two: 'passed' } })
const outside = 'an error outside of any test'

const entry = (more: Partial<Unsteady>): Unsteady[] => [
  { test: name, seen: [], cause: 'a clock', done: 'nothing', ...more },
]

describe('a red file', () => {
  it('is unsteady when it is green by itself, and all its tests have passed', () => {
    const { passed, failed, unsteady, unlisted } = outcome(first, { again: [green] })
    expect({ passed, failed, unsteady }).toEqual({ passed: 4, failed: [], unsteady: [name] })
    expect(unlisted).toEqual([name])
  })

  it('has the path of its source, where the bundle of tests was run', () => {
    const bundled = 'node_modules/.stagely-suite/test/a.test.mjs'
    const run = resultsOf({ [bundled]: { one: 'failed' } })
    const again = [resultsOf({ [bundled]: { one: 'passed' } })]
    expect(outcome(run, { again }).unsteady).toEqual([name])
  })

  it('that could not be loaded is unsteady when it could be by itself', () => {
    const { failed, unsteady } = outcome(resultsOf({ [file]: {} }), { again: [green] })
    expect({ failed, unsteady }).toEqual({
      failed: [],
      unsteady: [`${file} › the file could not be run`],
    })
  })

  it.each([
    ['was not run once more', []],
    ['is red again', [first]],
    ['is red in another test', [resultsOf({ [file]: { one: 'passed', two: 'failed' } })]],
    ['has skipped what was red', [resultsOf({ [file]: { one: 'skipped', two: 'passed' } })]],
    ['could not be loaded again', [resultsOf({ [file]: {} })]],
    ['left an error of no test', [resultsOf({ [file]: { one: 'passed', two: 'passed' } }, 1)]],
    ['was another one', [resultsOf({ 'b.test.ts': { one: 'passed' } })]],
  ])('that %s has failed, as in the whole run', (_what, again) => {
    const { passed, failed, unsteady } = outcome(first, { again })
    expect({ passed, failed, unsteady }).toEqual({ passed: 3, failed: [name], unsteady: [] })
  })

  it('is run once more by itself, unless more than a few are red', () => {
    const red = (count: number): Results =>
      resultsOf(Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.ts`, {}])))
    expect(filesToRunAgain(first)).toEqual([`/repository/${file}`])
    expect(filesToRunAgain(red(mostRunAgain))).toHaveLength(mostRunAgain)
    expect(filesToRunAgain(red(mostRunAgain + 1))).toEqual([])
    expect(filesToRunAgain(undefined)).toEqual([])
  })
})

describe('an unsteady test', () => {
  const again = [green]

  it.each([
    ['once', entry({ seen: ['2026-01-01'] })],
    [
      'twice, and mended since',
      entry({ seen: ['2026-01-01', '2026-01-02'], mended: '2026-01-02' }),
    ],
  ])('that is listed %s passes', (_how, listed) => {
    const { passed, failed, unsteady, unlisted } = outcome(first, { again, listed })
    expect({ passed, failed, unsteady, unlisted }).toEqual({
      passed: 4,
      failed: [],
      unsteady: [name],
      unlisted: [],
    })
  })

  it.each([
    ['twice', entry({ seen: ['2026-01-01', '2026-01-01'] })],
    [
      'twice after it was mended',
      entry({ seen: ['2026-01-01', '2026-01-03', '2026-01-04'], mended: '2026-01-02' }),
    ],
  ])('that is listed %s has failed', (_how, listed) => {
    const { passed, failed, unmended } = outcome(first, { again, listed })
    expect({ passed, failed, unmended }).toEqual({ passed: 3, failed: [name], unmended: [name] })
  })
})

describe('a run', () => {
  const all = resultsOf({ [file]: { one: 'passed', two: 'skipped' } })

  it('fails for what is skipped, unless it may be', () => {
    expect(outcome(all)).toMatchObject({ failed: ['1 tests are skipped'], skipped: 1 })
    expect(outcome(all, { maySkip: true })).toMatchObject({ passed: 2, failed: [], skipped: 1 })
  })

  it('fails for a check that has failed, and for an error of no test, also beside an unsteady one', () => {
    expect(outcome(green, { checks: ['fresh=fail'] }).failed).toEqual(['fresh'])
    expect(outcome(green, { exitCode: 1 }).failed).toEqual([outside])
    expect(outcome({ ...first, unhandled: 1 }, { again: [green] }).failed).toEqual([outside])
    expect(outcome(undefined, { exitCode: 1 }).failed).toEqual([outside])
    expect(outcome(resultsOf({}), { checks: [] }).failed).toEqual([outside])
  })
})

it('lists unsteady tests by files that exist, each once, with days, a cause and what was done', () => {
  const root = process.cwd()
  const listed = JSON.parse(readFileSync(join(root, 'test/unsteady.json'), 'utf8')) as Unsteady[]
  for (const { test, seen, cause, done, mended } of listed) {
    const [path = '', ...titles] = test.split(' › ')
    expect(existsSync(join(root, path)), path).toBe(true)
    expect(titles.length, test).toBeGreaterThan(0)
    expect(seen.length, test).toBeGreaterThan(0)
    for (const day of [...seen, ...(mended === undefined ? [] : [mended])])
      expect(day).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(Math.min(cause.length, done.length), test).toBeGreaterThan(5)
  }
  expect(new Set(listed.map(({ test }) => test)).size).toBe(listed.length)
})
