import { expect, it } from 'vitest'
import { pollUntilDone } from './poll.ts'

const noWait = { monotonic: () => 0, sleep: () => Promise.resolve() }

it('reads until the work has ended, and returns the last answer', async () => {
  const answers = [1, 2, 3]
  const done = await pollUntilDone(
    0,
    {
      read: () => Promise.resolve(answers.shift() ?? 0),
      isDone: (answer) => answer === 3,
      progress: () => undefined,
      everyMs: 1,
    },
    noWait,
  )
  expect([done, answers]).toEqual([3, []])
})

it('ends at the time limit with what is known then', async () => {
  let now = 0
  const clock = { monotonic: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) }
  const late = pollUntilDone(
    0,
    {
      read: () => Promise.resolve(now),
      isDone: () => false,
      progress: () => undefined,
      everyMs: 600,
      timeoutMs: 1_000,
      late: (answer) => `${answer} read`,
    },
    clock,
  )
  await expect(late).rejects.toThrow('timed out after 1 s: 1200 read')
})
