// Retries lists that could not be read: when the stream is connected, and some seconds after a refusal that may pass.
import type { ReadonlySignal } from '@preact/signals'
import { ApiProblem } from '../api/client.ts'
import type { Collection, HasId } from './collection.ts'
import { knownFailure } from './known.ts'

type Readable = Pick<Collection<HasId>, 'list' | 'isReading' | 'refresh'>

/** Between two tries, while the stream stands and while it does not. */
export const listRetryMs = 5_000
const slowRetryMs = 15_000

/** Refusals that another read may not meet: too many requests, and a cursor that was too old. */
const passing = [429, 410]

/** False where the controller would say no again. */
export const isTransient = (error: unknown): boolean =>
  !(error instanceof ApiProblem) ||
  passing.includes(error.problem.status) ||
  error.problem.status >= 500

/** Until the result is called. `second` is the present time in ms. */
export const retryFailed = (
  all: () => readonly Readable[],
  isLive: ReadonlySignal<boolean>,
  second: ReadonlySignal<number>,
): (() => void) => {
  let triedAt = second.peek()
  const retry = (isDue: (error: unknown) => boolean): void => {
    triedAt = second.peek()
    for (const list of all()) {
      const failure = knownFailure(list.list.peek())
      if (failure !== undefined && isDue(failure.error) && !list.isReading()) void list.refresh()
    }
  }
  const stops = [
    isLive.subscribe((live) => {
      if (live) retry(() => true)
    }),
    second.subscribe((at) => {
      if (at - triedAt >= (isLive.peek() ? listRetryMs : slowRetryMs)) retry(isTransient)
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
