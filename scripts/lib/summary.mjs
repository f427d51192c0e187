// summary.mjs RESULTS.json VITEST_STATUS [NAME=pass|fail…]: prints the name of each failed test, and last the one
// line that sums up a test run. Exits 0 only when all is well. Needs no build, so that it works when everything else
// fails.
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [resultsFile, vitestStatus, ...extra] = process.argv.slice(2)

let passed = 0
let failed = 0
let skipped = 0
const names = []
const results = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : undefined

const fail = (name) => {
  failed++
  names.push(name)
}

/** The source of a file, also of one in the bundle of tests. */
const sourceOf = ({ name }) =>
  relative(process.cwd(), name).replace(/^node_modules\/\.stagely-suite\/(.*)\.mjs$/, '$1.ts')

for (const file of results?.testResults ?? []) {
  const tests = file.assertionResults
  for (const { status, fullName } of tests) {
    if (status === 'passed') passed++
    else if (status === 'failed') fail(`${sourceOf(file)}: ${fullName}`)
    else skipped++
  }
  // A file that could not be loaded has no tests to count, and is a failure all the same.
  if (file.status === 'failed' && !tests.some((t) => t.status === 'failed'))
    fail(`${sourceOf(file)}: the file could not be run`)
}
for (const check of extra) {
  if (check.endsWith('=pass')) passed++
  else fail(check.replace(/=.*$/, ''))
}
const isRoot = process.getuid?.() === 0
// Only what root alone may do is skipped, and not in CI.
if (skipped > 0 && (isRoot || process.env['CI'])) fail(`${skipped} tests are skipped`)
else if (skipped > 0)
  console.log(`${skipped} tests need root, and were skipped: \`sudo npm test\` runs them`)
// Such as an unhandled error outside of any test, or a global set-up that threw.
if (failed === 0 && (vitestStatus !== '0' || passed === 0)) fail('an error outside of any test')

for (const name of names) console.log(`failed: ${name}`)

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
