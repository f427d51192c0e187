// What could not be read is read again: when the network is back, and some seconds after a refusal that may pass.
import type { ReadonlySignal } from '@preact/signals'
import { ApiProblem } from '../api/client.ts'
import type { Collection } from './collection.ts'

type Readable = Pick<Collection<never>, 'loading' | 'error' | 'refresh'>

const retryMs = 5_000

/** Refusals that another read may not meet: too many requests, and a cursor that was too old. */
const passing = [429, 410]

/** False where the controller would say no again. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof ApiProblem) ||
  passing.includes(error.problem.status) ||
  error.problem.status >= 500

/** Until the result is called. `second` is the present time in ms. */
export const mendWhenLive = (
  all: () => readonly Readable[],
  isLive: ReadonlySignal<boolean>,
  second: ReadonlySignal<number>,
): (() => void) => {
  let triedAt = second.peek()
  const mend = (isDue: (one: Readable) => boolean): void => {
    triedAt = second.peek()
    for (const one of all()) if (isDue(one)) void one.refresh()
  }
  const stops = [
    isLive.subscribe((live) => {
      if (live) mend(({ error }) => error.peek() !== undefined)
    }),
    // Those alone whose page has nothing to show, and that are not being read: another read would end that one.
    second.subscribe((at) => {
      if (isLive.peek() && at - triedAt >= retryMs)
        mend(({ loading, error }) => loading.peek() === 'failed' && mayPass(error.peek()))
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
