// Saves the only replica a question to the database before each read. A replica that sees no other one takes the counter
// row for a second at a time: until then no commit and no read of another replica is answered. See ADR 0021.
import { realClock } from '../../kernel/clock.ts'
import { batched } from '../../kernel/async/batched.ts'
import type { Feed, Position } from './feed.ts'
import { askTwice, readCounters } from './commit.ts'
import type { Queryable } from '../drivers/sql.ts'

const forMs = 1_000
/** The replica relies on less time than it has reserved: the clock of the database may be faster. */
const ownMs = 800
/** Most reads that share one question. */
const mostTogether = 1_000
/** Pause after an attempt that failed: another replica was there, or the row was locked. */
const pauseMs = 200
/** A replica that was not seen for this time (ms) counts as gone. If it is alive, its commits wait. */
const aliveMs = 30_000

const isAlive = `r.seen_at > clock_timestamp() - interval '${aliveMs} milliseconds'`

// The statement does not wait for a row that a commit has locked: the commit may itself wait for a read.
const takeSql = `
UPDATE counters c SET alone = $1, alone_until = clock_timestamp() + interval '${forMs} milliseconds'
WHERE c.id = (
  SELECT id FROM counters WHERE (alone = $1 OR alone_until < clock_timestamp() OR alone_until IS NULL)
    AND ARRAY[$1::uuid] = ARRAY(SELECT r.id FROM replicas r WHERE ${isAlive})
  FOR UPDATE SKIP LOCKED
) RETURNING c.rv, c.tip`

const releaseSql = 'UPDATE counters SET alone_until = NULL WHERE alone = $1'

/** Real time, as the database has it. While a machine sleeps, only one of the two clocks goes on. */
const now = (): readonly [number, number] => [realClock.monotonic(), realClock.now()]
const never = [-Infinity, -Infinity] as const

type FollowedFeed = Pick<Feed, 'reach' | 'origin' | 'state'>

export class SoleReplica {
  readonly #sql: Queryable
  readonly #feed: FollowedFeed
  #since: readonly [number, number] = never
  #retryAt = -Infinity
  /** Reads that wait at the same time share one look at the counter row. */
  readonly #ask = batched(mostTogether, async (asked: readonly undefined[]) => {
    await this.reach()
    return asked
  })

  constructor(sql: Queryable, feed: FollowedFeed) {
    this.#sql = sql
    this.#feed = feed
  }

  /** True while no other replica can have written anything that is not in the state. */
  get isSure(): boolean {
    const [monotonic, wall] = now()
    const [since, sinceWall] = this.#since
    return monotonic - since < ownMs && Math.abs(wall - sinceWall) < ownMs
  }

  /** Resolves once the state has all commits that were made before the call. */
  fresh(): Promise<void> {
    return this.isSure ? Promise.resolve() : this.#ask(undefined)
  }

  /** Resolves when the state has all commits that were made before the call. Where there is no other replica, isSure is true then. */
  async reach(): Promise<void> {
    const asked = now()
    const { rv: before } = this.#feed.state
    const taken = asked[0] < this.#retryAt ? undefined : await this.#take()
    if (taken === undefined) {
      if (asked[0] >= this.#retryAt) this.#retryAt = asked[0] + pauseMs
      await this.#feed.reach(await readCounters(this.#sql, this.#feed.origin), before)
      return
    }
    await this.#feed.reach(taken, before)
    this.#since = asked
  }

  async #take(): Promise<Position | undefined> {
    const [taken] = await askTwice(() => this.#sql.query<Position>(takeSql, [this.#feed.origin]))
    return taken
  }

  /** Gives the time back, so that another replica need not wait for its end. */
  async release(): Promise<void> {
    if (!this.isSure) return
    this.#since = never
    await this.#sql.query(releaseSql, [this.#feed.origin]).catch(() => undefined)
  }
}
