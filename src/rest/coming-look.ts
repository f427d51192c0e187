// When a store is looked at next, for people.
import type { Store } from './types.ts'

/** While nothing changes the status is written less often than looks are made: a past moment is known to be done. */
export const comingLook = (
  { next_look_at: at }: Pick<Store, 'next_look_at'>,
  nowMs: number,
): string | undefined => (at !== undefined && Date.parse(at) > nowMs ? at : undefined)
