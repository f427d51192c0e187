import { expect, it } from 'vitest'
import { isDue } from './open-revision.ts'

it.each([
  [0, false],
  [299, false],
  [300, true],
  // Opened by a replica whose clock is ahead of the one that closes.
  [-1_000, false],
  [-5_000, false],
  [-180_000, true],
])('a revision is due %i ms after its write: %s', (after, due) => {
  const open = { openedAt: 1_000_000, lastWriteAt: 1_000_000, changeSets: {} }
  expect(isDue(open, 1_000_000 + after)).toBe(due)
})
