import { expect, it } from 'vitest'
import { exitAfter, type Ending } from './exit-guard.ts'

it('ends the process after its time with its code, says why, and holds no process that can end', () => {
  const messages: string[] = []
  const set: { then: () => void; ms: number }[] = []
  const ending: Ending = {
    timer: (then, ms) => {
      set.push({ then, ms })
      return { unref: () => messages.push('unref') }
    },
    exit: (code) => messages.push(`exit ${code}`),
  }
  exitAfter(1_000, { code: 0, why: () => messages.push('why') }, ending)
  expect([messages, set.map(({ ms }) => ms)]).toEqual([['unref'], [1_000]])
  set[0]?.then()
  expect(messages).toEqual(['unref', 'why', 'exit 0'])
})
