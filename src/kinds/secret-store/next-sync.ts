// When a store is looked at next, for people.

/** While nothing changes the status is written less often than looks are made: a past moment is known to be done. */
export const nextSyncOf = (
  { next_look_at: time }: { readonly next_look_at?: string | undefined },
  nowMs: number,
): string | undefined => (time !== undefined && Date.parse(time) > nowMs ? time : undefined)
