import type { StateFile } from '../../../agent/state/state-file.ts'

/** Of an agent that has deployed nothing, and remembers nothing. */
export const noState: StateFile = {
  get: () => undefined,
  set: () => Promise.resolve(),
  forget: () => Promise.resolve(),
  delivered: () => undefined,
  setDelivered: () => Promise.resolve(),
  forgetDelivered: () => Promise.resolve(),
  uids: () => [],
  leftOf: () => undefined,
}
