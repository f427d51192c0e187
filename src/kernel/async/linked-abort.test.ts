import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { linkedAbort } from './linked-abort.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const listeners = ({ signal }: AbortController): number => getEventListeners(signal, 'abort').length

describe('linkedAbort', () => {
  it('aborts with the first, for its reason, and lets go of the others', () => {
    const [first, two] = [new AbortController(), new AbortController()]
    const { signal } = linkedAbort(first.signal, two.signal)
    expect([signal.aborted, listeners(first), listeners(two)]).toEqual([false, 1, 1])
    two.abort('late')
    expect([signal.aborted, signal.reason]).toEqual([true, 'late'])
    expect([listeners(first), listeners(two), first.signal.aborted]).toEqual([0, 0, false])
  })

  it('leaves nothing at a signal that lives on', () => {
    const life = new AbortController()
    for (let i = 0; i < 100; i++) linkedAbort(life.signal, new AbortController().signal).abort()
    expect([listeners(life), life.signal.aborted]).toEqual([0, false])
  })

  it('is over at once where one is over already', () => {
    const life = new AbortController()
    expect(linkedAbort(life.signal, AbortSignal.abort('before')).signal.reason).toBe('before')
    expect(listeners(life)).toBe(0)
  })

  it('fires with a timeout that nobody else holds, whatever was collected meanwhile', async () => {
    const life = new AbortController()
    const { signal } = linkedAbort(AbortSignal.timeout(100), life.signal)
    const collecting = setInterval(collect, 10)
    try {
      await expect.poll(() => signal.aborted, { timeout: 5_000 }).toBe(true)
    } finally {
      clearInterval(collecting)
    }
    expect((signal.reason as Error).name).toBe('TimeoutError')
  })
})
