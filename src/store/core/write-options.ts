// Options of a write: a dry run, a change set, a note.

/** A dry run of many objects, beside the writes. */
export interface Review {
  /** Ends it: the client has left, or the time is over. */
  readonly signal: AbortSignal
}

export interface WriteOptions {
  /** Everything is checked and computed, nothing is stored. */
  readonly dryRun?: boolean
  /** Change set that this write belongs to; see ChangeSet. */
  readonly changeSet?: ChangeSet
  /** Why; kept with the revisions that the write is part of. */
  readonly note?: string
  /** Only while this is the leader's term: else nothing is done, and the error is a DeposedError. */
  readonly term?: number
  /** With dryRun: for many objects. Nobody waits for it. */
  readonly review?: Review
}

/**
 * How a write takes part in a change set, whose id counts for one actor. Without one, a revision closes 300 ms after the last
 * write of its project, 2 s after the first at most. With `id` it stays open for the set's next
 * write (5 s, 60 s in all) until a write says `last`, which closes at once every project of the set.
 */
export interface ChangeSet {
  readonly id: string
  readonly last: boolean
  /** More may belong to it than the writer has seen yet: first rollouts wait as they do without a change set. */
  readonly isSoFar?: boolean
}
