// The only thing a database driver implements. SQL is written for Postgres 15; PGlite runs 18.

/** By this name a controller's connection for notifications is known in `pg_stat_activity`. */
export const listenerName = 'stagely listener'

export type Row = Record<string, unknown>

export interface Queryable {
  /** Runs one statement with `$1…` parameters. int8 comes as number (all of ours are below 2^53), json as text. */
  query<R = Row>(text: string, params?: readonly unknown[]): Promise<R[]>
  /** Runs several statements without parameters: migrations. */
  exec(text: string): Promise<void>
}

export interface Sql extends Queryable {
  /** BEGIN … COMMIT; rolls back when `fn` throws. Inside, only `tx` may be used (PGlite would hang). */
  transaction<T>(fn: (tx: Queryable) => Promise<T>): Promise<T>
  /**
   * Calls `onNotify` with what each NOTIFY on `channel` says, and `onReconnect` after a lost listener
   * is back; returns stop().
   */
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onReconnect: () => void,
  ): Promise<() => Promise<void>>
  close(): Promise<void>
  readonly kind: 'postgres' | 'pglite'
}
