// summary.mjs RESULTS.json VITEST_STATUS [NAME=pass|fail…]: prints the one line that sums up a test
// run and exits 0 only when all is well. Needs no build, so that it works when everything else fails.
import { existsSync, readFileSync } from 'node:fs'

const [resultsFile, vitestStatus, ...extra] = process.argv.slice(2)

let passed = 0
let failed = 0
let skipped = 0
const results = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : undefined

for (const file of results?.testResults ?? []) {
  const tests = file.assertionResults
  for (const { status } of tests) {
    if (status === 'passed') passed++
    else if (status === 'failed') failed++
    else skipped++
  }
  // A file that could not be loaded has no tests to count, and is a failure all the same.
  if (file.status === 'failed' && !tests.some((t) => t.status === 'failed')) failed++
}
for (const check of extra) {
  if (check.endsWith('=pass')) passed++
  else failed++
}
// Such as an unhandled error outside of any test, or a global set-up that threw.
if (failed === 0 && (vitestStatus !== '0' || passed === 0)) failed++

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
