// summary.mjs --red RESULTS.json: prints the files that are run once more, one a line.
// summary.mjs RESULTS.json VITEST_STATUS [NAME=pass|fail…] [AGAIN.json…]: prints the name of each unsteady and each
// failed test, and last the one line that sums up a test run. Exits 0 only when all is well. Needs no build, so that
// it works when everything else fails.
import { existsSync, readFileSync } from 'node:fs'
import { filesToRunAgain, outcomeOf } from './outcome.mjs'

const list = 'test/unsteady.json'
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)

const summarize = ([resultsFile, exitCode, ...rest]) => {
  const { passed, failed, skipped, unsteady, unmended, unlisted } = outcomeOf({
    results: read(resultsFile),
    exitCode: Number(exitCode),
    again: rest.flatMap((file) => (file.endsWith('.json') ? [read(file)] : [])).filter(Boolean),
    listed: read(list) ?? [],
    checks: rest.filter((arg) => !arg.endsWith('.json')),
    // Only what root alone may do is skipped, and not in CI.
    maySkip: process.getuid?.() !== 0 && !process.env['CI'],
    root: process.cwd(),
  })
  for (const name of unsteady) console.log(`unsteady: ${name}`)
  if (unlisted.length > 0)
    console.log(
      `red at first, green by itself: list each of these ${unlisted.length} in ${list}, with its cause`,
    )
  for (const name of unmended)
    console.log(`listed as unsteady twice (${list}), so it fails until it is mended: ${name}`)
  for (const name of failed) console.log(`failed: ${name}`)
  if (skipped > 0 && failed.length === 0)
    console.log(`${skipped} tests need root, and were skipped: \`sudo npm test\` runs them`)
  const more = skipped > 0 ? `, ${skipped} skipped` : ''
  console.log(`${passed} passed, ${failed.length} failed${more}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

const [first, ...others] = process.argv.slice(2)
if (first === '--red') for (const file of filesToRunAgain(read(others[0]))) console.log(file)
else summarize([first, ...others])
