// Runs what only one of several controllers may run. It leads while it holds the lease, by its own
// monotonic clock; a controller that was paused or cut off steps down without waiting for anything,
// and what its loops still try to write is refused by the term: see src/store/leader-lease.ts.
import type { Clock } from '../src/kernel/clock.ts'
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { LeaderLease } from '../src/store/leader-lease.ts'

// A leader is replaced within 5 s: what is left of its lease (2 s at most), then what lets go of the
// lock of its last write (3 s after it stands still), and one try that fails (1.5 s) has room as well.
const pollMs = 500
const renewMs = 500
/** After a failure, and after the end of another's lease: soon, and not all replicas at once. */
const againMs = 100
/** Less than the lease lasts: who cannot renew has stopped before another begins. */
const stepDownMs = 1_600
/** As long as a renewal may well take. */
const patienceMs = 1_000
const stopLoopsMs = 10_000

export interface Loops {
  stop(): Promise<void>
}

export interface LeaderDeps {
  /** Undefined: there is no other, and this one leads from the start. */
  readonly lease: LeaderLease | undefined
  /** Of this process, among the replicas. */
  readonly holder: string
  readonly clock: Clock
  /** Milliseconds that go on while the process is paused, and never go back. */
  readonly monotonic: () => number
  readonly log: Logger
  /**
   * Starts the loops. `term` is what their writes must carry; `leads` says whether the lease still holds,
   * by the clock alone: right also for a process that was paused and has not learnt of it yet.
   */
  readonly start: (term: number | undefined, leads: () => boolean) => Loops
}

export interface Leader {
  /** The term that this replica leads in; undefined while another does. 0 without a lease. */
  term(): number | undefined
  /** Stops the loops, then gives the lease up. */
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
        // The lease runs from before the database wrote it, as far as this process can know.
        const since = monotonic()
        const term = free === 0 ? await lease.acquire(holder) : undefined
        complained = false
        if (term !== undefined) await this.#lead(term, since)
        // Looked at anew when it has just run out, and not up to a whole pause later.
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
    const stopped = loops.stop().catch((error: unknown) => {
      log.warn({ err: messageOf(error) }, 'a loop of the leader did not stop cleanly')
    })
    if (!this.#stopping.signal.aborted) {
      // Never waited for: a loop may hang on the very thing that cost the lease.
      log.warn({ term }, 'this replica leads no more: the lease was not renewed in time')
      return
    }
    await this.#within(stopLoopsMs, stopped)
    await lease.release(holder, term).catch((error: unknown) => {
      log.warn({ err: messageOf(error) }, 'the lease could not be given up; it runs out')
    })
  }

  #leftMs(): number {
    return this.#renewedAt + stepDownMs - this.#deps.monotonic()
  }

  /** Until the stop, or the lease is lost or cannot be renewed in time. */
  async #hold(term: number): Promise<void> {
    const { monotonic, lease, holder } = this.#deps
    while (!this.#stopping.signal.aborted) {
      const left = this.#leftMs()
      if (left <= 0) return
      // Where taking the lease took long, little of it is left: then it is renewed at once.
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

  async #sleep(ms: number): Promise<void> {
    if (this.#stopping.signal.aborted) return
    await this.#deps.clock.sleep(ms, this.#stopping.signal).catch(() => undefined)
  }

  /** Undefined when `work` is not done after `ms`. */
  async #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const done = new AbortController()
    const late = this.#deps.clock.sleep(ms, done.signal).then(
      () => undefined,
      () => undefined,
    )
    return Promise.race([work, late]).finally(() => {
      done.abort()
    })
  }
}
