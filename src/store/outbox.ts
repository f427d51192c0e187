// The outbox: notices that are not delivered yet. The commit of the event makes the row of a notice (notices.ts).
import type { Notice } from './core/notice.ts'
import type { Sql } from './drivers/sql.ts'

/** Notices within this time of each other share a message. */
export const settleMs = 5_000
/** Longest time that a message waits for more notices. */
const mostWaitMs = 60_000
/** Delivered rows are kept for a day, so that the same notice is delivered once a day. */
const keepMs = 2 * 86_400_000
/** Most notices of a message, which tells the number of further ones. */
const mostInOne = 50

export interface Batch {
  readonly id: string
  /** Uid of the Notifier. */
  readonly notifier: string
  readonly attempts: number
  /** When (ms) the first notice was written. */
  readonly since: number
  readonly count: number
  readonly notices: readonly Notice[]
}

/** `term` undefined: there are no other replicas. A deposed leader changes nothing. */
const ofTerm = (place: number): string =>
  `($${place}::bigint IS NULL OR (SELECT c.term FROM counters c) = $${place})`

export class Outbox {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  /** Puts notices of one time together, and returns the messages that are due, the oldest first. */
  async due(now: number, term: number | undefined): Promise<Batch[]> {
    await this.#sql.query(
      `WITH ready AS MATERIALIZED (
         SELECT notifier, gen_random_uuid() AS batch FROM outbox WHERE ended_at IS NULL AND batch IS NULL
         GROUP BY notifier HAVING max(at) <= $1 OR min(at) <= $2)
       UPDATE outbox o SET batch = r.batch, next_at = $3 FROM ready r
       WHERE o.notifier = r.notifier AND o.batch IS NULL AND o.ended_at IS NULL AND ${ofTerm(4)}`,
      [now - settleMs, now - mostWaitMs, now, term ?? null],
    )
    const rows = await this.#sql.query<Omit<Batch, 'notices'> & { notices: string }>(
      `SELECT batch AS id, notifier, max(attempts) AS attempts, min(at) AS since, count(*)::int AS count,
         (SELECT json_agg(n.notice)::text FROM (SELECT i.notice FROM outbox i WHERE i.batch = o.batch
            ORDER BY i.id LIMIT ${mostInOne}) n) AS notices
       FROM outbox o WHERE ended_at IS NULL AND batch IS NOT NULL AND next_at <= $1
       GROUP BY batch, notifier ORDER BY min(at) LIMIT 100`,
      [now],
    )
    return rows.map((row) => ({ ...row, notices: JSON.parse(row.notices) as Notice[] }))
  }

  /** The next time (ms) at which a message is due, but for those that are `sending`; undefined: none waits. */
  async nextAt(sending: readonly string[] = []): Promise<number | undefined> {
    const [row] = await this.#sql.query<{ at: number | null }>(
      `SELECT min(coalesce(next_at, at + ${settleMs})) AS at FROM outbox
       WHERE ended_at IS NULL AND (batch IS NULL OR NOT batch::text = ANY($1::text[]))`,
      [sending],
    )
    return row?.at ?? undefined
  }

  async tryAgain(id: string, nextAt: number, term: number | undefined): Promise<void> {
    await this.#sql.query(
      `UPDATE outbox SET attempts = attempts + 1, next_at = $2
       WHERE batch = $1 AND ended_at IS NULL AND ${ofTerm(3)}`,
      [id, nextAt, term ?? null],
    )
  }

  /** The message was delivered, or is given up. */
  async end(id: string, endedAt: number, term: number | undefined): Promise<void> {
    await this.#sql.query(
      `UPDATE outbox SET ended_at = $2 WHERE batch = $1 AND ended_at IS NULL AND ${ofTerm(3)}`,
      [id, endedAt, term ?? null],
    )
  }

  async forget(now: number): Promise<void> {
    await this.#sql.query('DELETE FROM outbox WHERE ended_at < $1', [now - keepMs])
  }
}
