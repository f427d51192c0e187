// How long a test goes on that could go on for ever: `npm test` runs the short form, `npm run soak`
// the long one, and that says its counts.
import { basename } from 'node:path'
import { expect } from 'vitest'

const isLong = process.env['STAGELY_SOAK'] === '1'

/** How many there are of what the test repeats, by the form that runs. */
export const soak = (short: number, long: number): number => {
  if (!isLong) return short
  const { currentTestName, testPath = '' } = expect.getState()
  console.info(`${currentTestName ?? basename(testPath)}: ${long} in place of ${short}`)
  return long
}

/** The same for `fc.assert`. */
export const runs = (short: number, long: number): { numRuns: number } => ({
  numRuns: soak(short, long),
})
