/** What metrics tell of a store. */
export interface MeasuredStore {
  readonly namespace: string
  readonly name: string
  readonly isStale: boolean
  readonly calls: number
  readonly lagMs: number
  readonly lookedAt: number | undefined
  /** Messages of the queue of notifications that were none, so far. */
  readonly foreignMessages: number
}
