import type { StateFile } from '../../agent/state-file.ts'

/** Of an agent that has deployed nothing, and remembers nothing. */
export const noState: StateFile = {
  get: () => undefined,
  set: () => Promise.resolve(),
  forget: () => Promise.resolve(),
  given: () => undefined,
  setGiven: () => Promise.resolve(),
  forgetGiven: () => Promise.resolve(),
  uids: () => [],
  leftOf: () => undefined,
}
