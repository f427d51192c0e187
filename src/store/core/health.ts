// The health of the store.

/** The checks of the store's health, in the order in which they are made. They stop at the first that fails. */
export const storeChecks = ['database', 'writes', 'key-provider'] as const

/** Without its key provider the store still works with the keys in memory, until these expire. */
export interface StoreHealth {
  readonly ok: boolean
  readonly failed?: (typeof storeChecks)[number]
  readonly reason?: string
  /** How much this machine's clock is ahead of the database's, ms; undefined where the database does not answer. */
  readonly clockAheadMs?: number | undefined
}
