// Pruning writes a row of the chain: the number of pruned rows, and the last of them.
export const pruneAction = 'prune'

/** Content of `detail` in the audit row of a pruning. */
export interface PruneDetail {
  readonly rows: number
  readonly upTo: number
}
