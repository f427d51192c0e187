// What a run of the tests comes to, by what scripts/lib/results-reporter.mjs wrote. Pure.
import { relative } from 'node:path'

/** With more red files than these something is broken, and none is run once more. */
export const mostRunAgain = 5
/** A test that is listed as often as unsteady, and not mended since, fails when it is so again. */
const mostSeen = 2

const filesOf = (results) => results?.testResults ?? []
const isRed = ({ status }) => status === 'failed'

/** Vitest's names of the red files that are run once more, each by itself. */
export const filesToRunAgain = (results) => {
  const red = filesOf(results).filter(isRed)
  return red.length > mostRunAgain ? [] : red.map(({ name }) => name)
}

const titlesOf = ({ assertionResults }, wanted) =>
  assertionResults
    .filter(({ status }) => status === wanted)
    .map(({ ancestorTitles, title }) => [...ancestorTitles, title].filter(Boolean).join(' › '))

/** A file that could not be loaded has no tests to count, and is a failure all the same. */
const redTitles = (file) => {
  const titles = titlesOf(file, 'failed')
  return isRed(file) && titles.length === 0 ? ['the file could not be run'] : titles
}

/** With the path of the source, also where the file lies in the bundle of tests. */
const named = (root, file, titles) => {
  const path = relative(root, file.name)
  const source = path.replace(/^node_modules\/\.stagely-suite\/(.*)\.mjs$/, '$1.ts')
  return titles.map((title) => `${source} › ${title}`)
}

/** The file as it was by itself, if that is green: whatever was red has passed. */
const greenAgain = (file, again) =>
  again
    .filter(({ unhandled }) => unhandled === 0)
    .flatMap(filesOf)
    .find((second) => {
      const passed = titlesOf(second, 'passed')
      const isWhole = titlesOf(file, 'failed').every((title) => passed.includes(title))
      return second.name === file.name && !isRed(second) && passed.length > 0 && isWhole
    })

const timesSeen = ({ seen, mended }) =>
  seen.filter((day) => mended === undefined || day > mended).length

/**
 * Counts, and the names of what failed and of what is unsteady. `results` and `exitCode`: of the whole run;
 * `again`: results of files by themselves; `listed`: test/unsteady.json; `checks`: `NAME=pass` or `NAME=fail`.
 */
export const outcomeOf = ({ results, exitCode, again, listed, checks, maySkip, root }) => {
  const failed = []
  const unsteady = []
  const files = filesOf(results).map((file) => {
    const second = isRed(file) ? greenAgain(file, again) : undefined
    const names = named(root, file, redTitles(file))
    if (second === undefined) failed.push(...names)
    else unsteady.push(...names)
    return second ?? file
  })
  const entryOf = (name) => listed.find(({ test }) => test === name)
  const unmended = unsteady.filter((name) => timesSeen(entryOf(name) ?? { seen: [] }) >= mostSeen)
  const failedChecks = checks.filter((check) => !check.endsWith('=pass'))
  failed.push(...unmended, ...failedChecks.map((check) => check.replace(/=.*$/, '')))

  const skipped = files
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status !== 'passed' && status !== 'failed').length
  if (skipped > 0 && !maySkip) failed.push(`${skipped} tests are skipped`)
  const passedTests = files
    .flatMap((file) => named(root, file, titlesOf(file, 'passed')))
    .filter((name) => !unmended.includes(name))
  const passed = passedTests.length + checks.length - failedChecks.length
  // Such as an unhandled error, or a global set-up that threw.
  const isExplained = exitCode === 0 || filesOf(results).some(isRed)
  if (!isExplained || results?.unhandled !== 0 || passed === 0)
    failed.push('an error outside of any test')
  const unlisted = unsteady.filter((name) => entryOf(name) === undefined)
  return { passed, failed, skipped, unsteady, unmended, unlisted }
}
