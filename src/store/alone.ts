// Reads that do not ask the database whether another replica has written meanwhile. A replica that sees no other
// takes a second at a time, in the counter row, in which no other's commit, and no other's read, is answered. See ADR 0072.
import { realClock } from '../kernel/clock.ts'
import type { Feed } from './feed.ts'
import { askTwice, readStanding } from './log/commit.ts'
import type { Queryable } from './sql.ts'

const forMs = 1_000
/** Given up earlier than in the database, whose clock may be faster. */
const ownMs = 800
/** After another replica was there, or the row was locked. */
const pauseMs = 200
/** Who was not heard of for so long (ms) is not there. Where it is all the same, its commits wait. */
const aliveMs = 30_000

const isAlive = `r.seen_at > clock_timestamp() - interval '${aliveMs} milliseconds'`

// One that is locked by a commit is not waited for: that one may wait for a read.
const takeSql = `
UPDATE counters c SET alone = $1, alone_until = clock_timestamp() + interval '${forMs} milliseconds'
WHERE c.id = (
  SELECT id FROM counters WHERE (alone = $1 OR alone_until < clock_timestamp() OR alone_until IS NULL)
    AND ARRAY[$1::uuid] = ARRAY(SELECT r.id FROM replicas r WHERE ${isAlive})
  FOR UPDATE SKIP LOCKED
) RETURNING c.rv`

const releaseSql = 'UPDATE counters SET alone_until = NULL WHERE alone = $1'

/** The database's time is real, whatever clock a test has. One of the two goes on while a machine sleeps. */
const now = (): readonly [number, number] => [realClock.monotonic(), realClock.now()]
const never = [-Infinity, -Infinity] as const

export class Alone {
  readonly #sql: Queryable
  readonly #feed: Pick<Feed, 'reach' | 'origin'>
  #since: readonly [number, number] = never
  #retryAt = -Infinity

  constructor(sql: Queryable, feed: Pick<Feed, 'reach' | 'origin'>) {
    this.#sql = sql
    this.#feed = feed
  }

  /** The state is what is stored. */
  get isSure(): boolean {
    const [monotonic, wall] = now()
    const [since, sinceWall] = this.#since
    return monotonic - since < ownMs && Math.abs(wall - sinceWall) < ownMs
  }

  /** Until the state has reached what was committed when it was asked. It is sure then where there is no other replica. */
  async reach(): Promise<void> {
    const asked = now()
    const taken = asked[0] < this.#retryAt ? undefined : await this.#take()
    if (taken === undefined) {
      if (asked[0] >= this.#retryAt) this.#retryAt = asked[0] + pauseMs
      await this.#feed.reach((await readStanding(this.#sql, this.#feed.origin)).rv)
      return
    }
    await this.#feed.reach(taken.rv)
    this.#since = asked
  }

  async #take(): Promise<{ rv: number } | undefined> {
    const [taken] = await askTwice(() =>
      this.#sql.query<{ rv: number }>(takeSql, [this.#feed.origin]),
    )
    return taken
  }

  /** The next replica need not wait. */
  async release(): Promise<void> {
    if (!this.isSure) return
    this.#since = never
    await this.#sql.query(releaseSql, [this.#feed.origin]).catch(() => undefined)
  }
}
