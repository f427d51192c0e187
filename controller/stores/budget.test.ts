import { expect, it } from 'vitest'
import { Budget } from './budget.ts'

it('a budget has no minute with more calls than it allows, and serves in turn', async () => {
  let now = 0
  const sleep = (ms: number): Promise<void> => {
    now += ms
    return Promise.resolve()
  }
  const budget = new Budget({ now: () => now, sleep }, 10)
  const { signal } = new AbortController()
  const times: number[] = []
  await Promise.all(
    Array.from({ length: 35 }, async () => {
      await budget.spend(signal)
      times.push(now)
    }),
  )
  for (const [i, at] of times.entries()) {
    const within = times.slice(i).filter((other) => other < at + 60_000)
    expect(within.length).toBeLessThanOrEqual(10)
  }
  expect(now).toBe(180_000)
  expect(budget.total).toBe(35)
  now += 60_000
  expect(budget.used).toBe(0)
})

it('a budget waits a minute at most where the clock was set back', async () => {
  let now = 10_000_000
  const sleep = (ms: number): Promise<void> => {
    now += ms
    return Promise.resolve()
  }
  const budget = new Budget({ now: () => now, sleep }, 1)
  const { signal } = new AbortController()
  await budget.spend(signal)
  now = 1_000_000
  await budget.spend(signal)
  expect(now).toBe(1_060_000)
})

it.each([true, false])(
  'a budget keeps a tenth of each minute from what is urgent (%s), and from what is not',
  async (isUrgent) => {
    let now = 0
    const sleep = (ms: number): Promise<void> => {
      now += ms
      return Promise.resolve()
    }
    const budget = new Budget({ now: () => now, sleep }, 10)
    const [urgent, other] = [new AbortController(), new AbortController()]
    budget.hurry(urgent.signal)
    const [first, second] = isUrgent ? [urgent, other] : [other, urgent]
    for (let i = 0; i < 9; i++) await budget.spend(first.signal)
    await budget.spend(second.signal)
    expect(now).toBe(0)
    await budget.spend(first.signal)
    expect(now).toBe(60_000)
  },
)

it('a budget that is closed gives nothing more, also to those who wait', async () => {
  let wake = (): void => undefined
  const sleep = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  let now = 0
  const budget = new Budget({ now: () => now, sleep }, 1)
  const { signal } = new AbortController()
  await budget.spend(signal)
  const waiting = budget.spend(signal)
  await Promise.resolve()
  const told = new Error('too many calls')
  budget.close(told)
  now = 60_000
  wake()
  await expect(waiting).rejects.toBe(told)
  await expect(budget.spend(signal)).rejects.toBe(told)
  expect(budget.total).toBe(1)
  budget.open()
  await budget.spend(signal)
  expect(budget.total).toBe(2)
})
