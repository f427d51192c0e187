// The lease of the leader: a row that its holder renews, by the database's clock. The lease says which replica should act. The
// term, which each write checks, keeps a former leader from acting.
import type { Sql } from './drivers/sql.ts'

/** After this time without renewal any replica may take the lease. */
const leaseTtlMs = 2_000

const name = 'leader'

export interface LeaderLease {
  /** Time (ms) until the lease ends without renewal; 0 where it may be taken. */
  freeIn(): Promise<number>
  /** Takes a free lease. Returns the new term; undefined while another replica has the lease. */
  acquire(holder: string): Promise<number | undefined>
  /** False where the lease has ended, or another replica has it: this term is over then. */
  renew(holder: string, term: number): Promise<boolean>
  /** Gives the lease up, so that the next leader need not wait for its end. */
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
      // The counter row is locked first, as by each commit: a commit of the former leader is done then, or will be refused.
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
