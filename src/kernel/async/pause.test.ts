import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../test/support/fake-clock.ts'
import { after, pause, repeatUntil, within } from './pause.ts'

describe('a pause', () => {
  it('lasts its time, or until the signal aborts, and says which', async () => {
    const clock = createFakeClock()
    const ending = new AbortController()
    const whole = pause(clock, 100, ending.signal)
    const cut = pause(clock, 1_000, ending.signal)
    await clock.advance(100)
    expect(await whole).toBe(true)
    ending.abort()
    expect(await cut).toBe(false)
    expect(await pause(clock, 100, ending.signal)).toBe(false)
    const foreign = { sleep: () => Promise.reject(new DOMException('not ours', 'AbortError')) }
    await expect(pause(foreign, 100, new AbortController().signal)).rejects.toThrow('not ours')
  })
})

describe('repeated work', () => {
  it('is done after each pause, whatever fails, until the signal aborts', async () => {
    const clock = createFakeClock()
    const ending = new AbortController()
    const faults: unknown[] = []
    let done = 0
    const work = (): Promise<void> =>
      ++done === 2 ? Promise.reject(new Error('second')) : Promise.resolve()
    const onFault = (error: unknown): void => void faults.push(error)
    const running = repeatUntil(ending.signal, clock, { everyMs: 10, work, onFault })
    expect(done).toBe(0)
    await clock.advance(35)
    ending.abort()
    await running
    expect(done).toBe(3)
    expect(faults).toEqual([new Error('second')])
  })
})

describe('work within a time', () => {
  const clock = createFakeClock()
  const never = new Promise<string>(() => undefined)

  it('gives its result', async () => {
    expect(await within(clock, 10, Promise.resolve('done'), () => 'late')).toBe('done')
  })

  it('gives its failure', async () => {
    const failing = Promise.reject(new Error('failed'))
    await expect(within(clock, 10, failing, () => 'late')).rejects.toThrow('failed')
  })

  it('gives what is said of work that is late', async () => {
    const answer = within(clock, 10, never, () => 'late')
    await clock.advance(10)
    expect(await answer).toBe('late')
  })
})

it('calls after a time, unless it is aborted before', async () => {
  const clock = createFakeClock()
  const ending = new AbortController()
  const called: string[] = []
  after(clock, 10, new AbortController().signal, () => called.push('late'))
  after(clock, 10, ending.signal, () => called.push('aborted'))
  ending.abort()
  await clock.advance(9)
  expect(called).toEqual([])
  await clock.advance(1)
  expect(called).toEqual(['late'])
})
