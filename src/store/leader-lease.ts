// Who leads, by a row that its holder renews and by the database's clock alone. The lease only says
// who should act; what keeps an old leader from acting is the term, which every write checks.
import type { Sql } from './sql.ts'

/** Older than this, a lease is anybody's. */
const leaseTtlMs = 2_000

const name = 'leader'

export interface LeaderLease {
  /** How long (ms) until the lease runs out if nobody renews it; 0 when it may be taken. */
  freeIn(): Promise<number>
  /** The new term when the lease was free and is `holder`'s now; undefined while another has it. */
  acquire(holder: string): Promise<number | undefined>
  /** False when the lease has run out or is another's: this term is over for good. */
  renew(holder: string, term: number): Promise<boolean>
  /** The next leader need not wait for the end of the lease. */
  release(holder: string, term: number): Promise<void>
}

const alive = `renewed_at > clock_timestamp() - interval '${leaseTtlMs} milliseconds'`

// Both conditions are judged anew when another has changed the row meanwhile.
const takeSql = `
INSERT INTO leases AS l (name, holder, term, renewed_at) VALUES ('${name}', $1, $2, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, term = excluded.term, renewed_at = clock_timestamp()
WHERE NOT (l.${alive}) RETURNING l.term`

/** `sql` has connections of its own and short deadlines: requests must not keep a leader from renewing. */
export const createLeaderLease = (sql: Sql): LeaderLease => ({
  freeIn: async () => {
    const [held] = await sql.query<{ left: number }>(
      `SELECT (${leaseTtlMs} - extract(epoch FROM clock_timestamp() - renewed_at) * 1000)::int AS left
       FROM leases WHERE name = '${name}' AND ${alive}`,
      [],
    )
    return Math.max(0, held?.left ?? 0)
  },
  acquire: (holder) =>
    sql.transaction(async (tx) => {
      // First the lock that every write takes: what the old leader began has ended or has lost.
      const [counters] = await tx.query<{ term: number }>(
        'SELECT term FROM counters FOR UPDATE',
        [],
      )
      const term = (counters?.term ?? 0) + 1
      const [taken] = await tx.query(takeSql, [holder, term])
      if (taken === undefined) return undefined
      await tx.query('UPDATE counters SET term = $1', [term])
      return term
    }),
  renew: async (holder, term) => {
    const rows = await sql.query(
      `UPDATE leases SET renewed_at = clock_timestamp()
       WHERE name = '${name}' AND holder = $1 AND term = $2 AND ${alive} RETURNING 1`,
      [holder, term],
    )
    return rows.length > 0
  },
  release: async (holder, term) => {
    await sql.query(
      `UPDATE leases SET renewed_at = '-infinity' WHERE name = '${name}' AND holder = $1 AND term = $2`,
      [holder, term],
    )
  },
})
