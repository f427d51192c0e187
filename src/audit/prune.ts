// Pruning is itself a row of the chain: how many rows went, and up to which one.
export const pruneAction = 'prune'

/** What the audit row of a pruning says in `detail`. */
export interface PruneDetail {
  readonly rows: number
  readonly upTo: number
}
