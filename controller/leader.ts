// Runs the parts that only one replica may run. A replica leads while it holds the lease, by its own
// monotonic clock. A replica that was paused or cut off steps down without waiting for anything. If its
// loops still try to write, the database refuses their term: see src/store/leader-lease.ts.
import type { Clock } from '../src/kernel/clock.ts'
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { pause, within } from '../src/kernel/async/pause.ts'
import type { LeaderLease } from '../src/store/leader-lease.ts'

// A leader is replaced within 5 s: the rest of its lease (2 s at most), then the release of the lock of
// its last write (3 s after the leader stops responding). One failed attempt (1.5 s) fits in as well.
const pollMs = 500
const renewMs = 500
/**
 * Pause after a failure, and after the end of another replica's lease: short, with jitter, so that the
 * replicas do not all try at once.
 */
const againMs = 100
/** Shorter than the lease: a leader that cannot renew has stopped before another one begins. */
const stepDownMs = 1_600
/** Longest normal duration of a renewal. */
const patienceMs = 1_000
const stopLoopsMs = 10_000

export interface Loops {
  stop(): Promise<void>
}

interface LeaderDeps {
  /** undefined: there are no other replicas, and this one leads from the start. */
  readonly lease: LeaderLease | undefined
  /** Id of this process among the replicas. */
  readonly holder: string
  readonly clock: Clock
  /** Milliseconds of a clock that never goes back, and keeps running while the process is paused. */
  readonly monotonic: () => number
  readonly log: Logger
  /**
   * Starts the loops. Their writes must carry `term`. `leads` tells, by the clock alone, whether the
   * lease is still valid: correct even right after a pause of the process.
   */
  readonly start: (term: number | undefined, leads: () => boolean) => Loops
}

export interface Leader {
  /** The term in which this replica leads; undefined while another one leads. 0 without a lease. */
  term(): number | undefined
  /** Stops the loops, then releases the lease. */
  stop(): Promise<void>
}

export const startLeader = (deps: LeaderDeps): Leader => {
  const { lease } = deps
  if (lease === undefined) {
    const loops = deps.start(undefined, () => true)
    return { term: () => 0, stop: () => loops.stop() }
  }
  return new Election({ ...deps, lease })
}

class Election implements Leader {
  readonly #deps: LeaderDeps & { readonly lease: LeaderLease }
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #term: number | undefined
  #renewedAt = -Infinity

  constructor(deps: LeaderDeps & { readonly lease: LeaderLease }) {
    this.#deps = deps
    this.#running = this.#run()
  }

  term(): number | undefined {
    return this.#term
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { lease, holder, log, monotonic } = this.#deps
    let complained = false
    while (!this.#stopping.signal.aborted) {
      let pause = againMs
      try {
        const free = await lease.freeIn()
        // Measured before the request: the lease may have begun at any time after this.
        const since = monotonic()
        const term = free === 0 ? await lease.acquire(holder) : undefined
        complained = false
        if (term !== undefined) await this.#lead(term, since)
        // Another replica's lease ends soon: try right after that, without a whole pause.
        else if (free > 0) pause = Math.min(pollMs, free + Math.random() * againMs)
      } catch (error) {
        if (!complained) log.warn({ err: messageOf(error) }, 'cannot see who leads; trying on')
        complained = true
      }
      await this.#sleep(pause)
    }
  }

  async #lead(term: number, since: number): Promise<void> {
    const { lease, holder, log, start } = this.#deps
    log.info({ term }, 'this replica leads')
    this.#term = term
    this.#renewedAt = since
    const loops = start(term, () => this.#term === term && this.#leftMs() > 0)
    await this.#hold(term)
    this.#term = undefined
    const stopped = loops
      .stop()
      .catch((error: unknown) =>
        log.warn({ err: messageOf(error) }, 'a loop of the leader did not stop cleanly'),
      )
    if (!this.#stopping.signal.aborted) {
      // Not awaited: a loop may hang for the same reason that lost the lease.
      log.warn({ term }, 'this replica leads no more: the lease was not renewed in time')
      return
    }
    await this.#within(stopLoopsMs, stopped)
    await lease
      .release(holder, term)
      .catch((error: unknown) =>
        log.warn({ err: messageOf(error) }, 'the lease could not be given up; it runs out'),
      )
  }

  #leftMs(): number {
    return this.#renewedAt + stepDownMs - this.#deps.monotonic()
  }

  /** Returns at the stop, or when the lease is lost or cannot be renewed in time. */
  async #hold(term: number): Promise<void> {
    const { monotonic, lease, holder } = this.#deps
    while (!this.#stopping.signal.aborted) {
      const left = this.#leftMs()
      if (left <= 0) return
      // If acquiring the lease took long, little of it is left: then it is renewed at once.
      await this.#sleep(Math.min(renewMs, Math.max(againMs, left - patienceMs)))
      if (this.#stopping.signal.aborted) return
      const patience = this.#leftMs()
      if (patience <= 0) return
      const begunAt = monotonic()
      const renewed = await this.#within(
        patience,
        lease.renew(holder, term).catch(() => undefined),
      )
      if (renewed === false) return
      if (renewed === true) this.#renewedAt = begunAt
    }
  }

  #sleep(ms: number): Promise<boolean> {
    return pause(this.#deps.clock, ms, this.#stopping.signal)
  }

  /** undefined when `work` is not done after `ms`. */
  #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    return within(this.#deps.clock, ms, work, () => undefined)
  }
}
