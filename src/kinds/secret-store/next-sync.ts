// When a store is looked at next, for people.
import type { Store } from '../../generated/rest-types.ts'

/** While nothing changes the status is written less often than looks are made: a past moment is known to be done. */
export const nextSyncOf = (
  { next_look_at: time }: Pick<Store, 'next_look_at'>,
  nowMs: number,
): string | undefined => (time !== undefined && Date.parse(time) > nowMs ? time : undefined)
