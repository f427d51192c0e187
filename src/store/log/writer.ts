// Runs writes. Those that wait (write-queue.ts) while a commit is on its way share the next commit: they run one after the
// other in memory (run-write.ts), and one statement stores them. Where another replica was first, they run again: ADR 0048.
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ChainPoint } from '../../audit/texts.ts'
import { isReason } from '../../kernel/errors.ts'
import { FairLock } from '../../kernel/async/fair-lock.ts'
import type { Actor } from '../core/actor.ts'
import { DeferredWork } from '../core/deferred-work.ts'
import { callerGone, deposed, internal } from '../core/errors.ts'
import type { Review, WriteOptions } from '../core/write-options.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Queryable } from '../drivers/sql.ts'
import { commit, lockCounters, wasCommitted, type Commit } from './commit.ts'
import type { Feed } from './feed.ts'
import { Group } from './group.ts'
import { Refusals } from './refusals.ts'
import {
  runWrite,
  type Answer,
  type QueuedWrite,
  type RunDeps,
  type WriteOutcome,
  type WriteRequest,
} from './run-write.ts'
import { callerOf, WriteQueue } from './write-queue.ts'

/** After so long (ms) a group is stored, and the rest of it waits for the next. */
const mostOfGroupMs = 50
/** After this many commits that another replica came before, a group locks the counter row. */
const mostLost = 2
/** How often a review is run while others change the state. */
const mostReviews = 10
/** How often a commit is sent again whose answer was lost and that the database does not have. */
const mostRepeats = 2

interface WriterDeps extends RunDeps {
  readonly feed: Feed
  /** See StoreParts. */
  readonly fresh: () => Promise<void>
}

export class Writer {
  readonly #deps: WriterDeps
  readonly #reviews = new FairLock()
  readonly #queue: WriteQueue
  /** Newest known term of a leader. */
  #term = 0
  /** The writes whose commit is on its way. */
  #serving: readonly QueuedWrite[] = []
  #running: Promise<void> | undefined
  /** Reviews, and the slow work of writes that will run again. */
  readonly #beside = new Set<Promise<unknown>>()
  /** How many writes of deposed leaders were refused since the start. */
  deposed = 0
  readonly refusals: Refusals
  /** The newest audit row of this process, or that of its start. */
  ownAudit: ChainPoint

  constructor(deps: WriterDeps) {
    this.#deps = deps
    this.#queue = new WriteQueue(deps.clock)
    this.ownAudit = deps.feed.state.chain
    this.refusals = new Refusals(deps.clock)
  }

  /**
   * Runs `work` on the state and stores its changes; of a dry run nothing is stored. Where `work` needs slow work or a
   * transaction (deferred-work.ts), it runs again from its beginning.
   */
  async run<T>(
    actor: Actor,
    options: WriteOptions,
    work: (session: WriteSession) => Promise<T>,
  ): Promise<T> {
    const request = { actor, options, work, deferred: new DeferredWork() }
    for (;;) {
      const outcome = await (options.review === undefined
        ? this.#enqueue(request)
        : this.#review(request, options.review))
      if (outcome !== 'again') return outcome.result as T
      await this.#track(request.deferred.run())
    }
  }

  /** Reviews are dry runs. Each actor runs one at a time, beside the writes. */
  async #review(request: WriteRequest, review: Review): Promise<WriteOutcome> {
    const done = await this.#reviews.take(callerOf(request), review.signal)
    try {
      for (let tries = 1; ; tries += 1) {
        const { rv } = this.#deps.feed.state
        try {
          return await this.#track(this.#reviewOnce(request))
        } catch (error) {
          // The cause may be a change that others have stored meanwhile.
          const isSame = rv === this.#deps.feed.state.rv
          if (isSame || tries === mostReviews || review.signal?.aborted) throw error
        }
      }
    } finally {
      done()
    }
  }

  #reviewOnce(request: WriteRequest): Promise<WriteOutcome> {
    return new Promise((resolve, reject) => {
      const write = { ...request, since: this.#deps.clock.monotonic(), resolve, reject }
      const done = request.deferred.isLocked
        ? this.#commitLocked([write])
        : this.#runOne(new Group(this.#deps.feed.state), write).then((answer) => answer())
      done.catch(reject)
    })
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#beside.add(work)
    try {
      return await work
    } finally {
      this.#beside.delete(work)
    }
  }

  #enqueue(request: WriteRequest): Promise<WriteOutcome> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...request, since: this.#deps.clock.monotonic(), resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** For how long (ms) the oldest write waits that has no answer yet; 0 while none waits. */
  get oldestWaitMs(): number {
    return this.#queue.oldestWaitMs(this.#serving)
  }

  /** Resolves when all writes that were begun have ended. */
  async idle(): Promise<void> {
    while (this.#running !== undefined || this.#beside.size > 0) {
      await this.#running
      // A write whose slow work has ended is queued again in the same turn of the event loop.
      await Promise.allSettled(this.#beside)
    }
  }

  async #drain(): Promise<void> {
    try {
      while (!this.#queue.isEmpty) {
        // Requests that have arrived are read first, so that they share the commit.
        await nextTurn()
        this.#serving = this.#queue.next()
        await this.#serve(this.#serving)
        this.#serving = []
      }
    } finally {
      this.#serving = []
      // In the same step as the last look at the queue: otherwise a write that comes between would wait for ever.
      this.#running = undefined
    }
  }

  async #serve(writes: readonly QueuedWrite[]): Promise<void> {
    try {
      await (writes[0]?.deferred.isLocked === true
        ? this.#commitLocked(writes)
        : this.#commit(writes))
    } catch (error) {
      this.#deps.feed.readSoon()
      this.refusals.note(error, writes.length)
      if (isReason(error, 'ServiceUnavailable') || writes.length === 1) {
        for (const write of writes) write.reject(internal(error))
        return
      }
      // The database refused a write that admission had let pass. Each is committed alone, so that it fails no other.
      for (const write of writes) await this.#serve([write])
    }
  }

  async #commit(writes: readonly QueuedWrite[]): Promise<void> {
    const { feed } = this.#deps
    for (let lost = 0; lost <= mostLost; lost++) {
      const group = new Group(feed.state)
      const answers = await this.#runAll(group, writes)
      if (!group.isOn(feed.state) || !(await this.#store(group))) continue
      this.#publish(group, answers)
      return
    }
    await this.#commitLocked(writes)
  }

  /** Stores the changes of the group. False where another replica came first: the writes have to be run again. */
  async #store(group: Group): Promise<boolean> {
    const { sql, feed, clock, fresh } = this.#deps
    if (group.isEmpty) {
      // The answers must be true: another replica may have written something that is not read yet.
      await fresh()
      return group.isOn(feed.state)
    }
    const made = this.#commitOf(group)
    for (let repeats = 0; ; repeats++) {
      const tip = (group.tip = { id: randomUUID(), at: clock.now() })
      try {
        const answer = await commit(sql, { ...made, ...tip })
        this.#term = Math.max(this.#term, answer.term)
        if (!answer.done) await feed.reach(answer, group.startRv)
        return answer.done
      } catch (error) {
        if (!isReason(error, 'ServiceUnavailable')) throw error
        // The answer may be lost although the commit is stored.
        if (await wasCommitted(sql, tip)) return true
        if (repeats >= mostRepeats) throw error
      }
    }
  }

  /** Makes the stored changes part of the state, tells watchers, and answers the callers. */
  #publish(group: Group, answers: readonly Answer[]): void {
    this.#deps.feed.append(group.startRv, group.commit)
    for (const answer of answers) answer()
    if (!group.isEmpty) this.refusals.accepted()
    if (group.isAudited) this.ownAudit = group.chain
  }

  /** Holds the counter row meanwhile: for writes with statements of their own, or where other replicas came first too often. */
  async #commitLocked(writes: readonly QueuedWrite[]): Promise<void> {
    const { sql, feed, clock } = this.#deps
    const tip = { id: randomUUID(), at: clock.now() }
    let stored: { group: Group; answers: readonly Answer[] } | undefined
    try {
      await sql.transaction(async (tx) => {
        const counters = await lockCounters(tx)
        this.#term = Math.max(this.#term, counters.term)
        await feed.reach(counters, feed.state.rv, tx)
        const group = new Group(feed.state)
        const answers = await this.#runAll(group, writes, tx)
        // The write failed or was a dry run: its statements must not stay.
        if (writes[0]?.deferred.isLocked === true && group.size === 0) throw new Rollback(answers)
        if (!group.isEmpty) {
          group.tip = tip
          const answer = await commit(tx, { ...this.#commitOf(group), ...tip })
          // Nobody else commits while this transaction holds the counter row.
          if (!answer.done) throw new Error('a commit that holds the counter row was refused')
        }
        stored = { group, answers }
      })
    } catch (error) {
      if (error instanceof Rollback) {
        for (const answer of error.answers) answer()
        return
      }
      const isLost = isReason(error, 'ServiceUnavailable') && stored !== undefined
      if (!isLost || !(await wasCommitted(sql, tip))) throw error
    }
    if (stored !== undefined) this.#publish(stored.group, stored.answers)
  }

  #commitOf(group: Group): Omit<Commit, 'id' | 'at'> {
    const { sql, feed } = this.#deps
    const origin = sql.kind === 'pglite' ? undefined : feed.origin
    const payload = group.payload()
    const { startRv: expected, rv: next, leader } = group
    return { payload, tip: group.state.tip?.id, expected, next, leader, origin }
  }

  /** Of writes that it has no time for, the answer puts them back. */
  async #runAll(group: Group, writes: readonly QueuedWrite[], tx?: Queryable): Promise<Answer[]> {
    const { clock } = this.#deps
    const answers: Answer[] = []
    const until = clock.monotonic() + mostOfGroupMs
    for (const [index, write] of writes.entries()) {
      const start = clock.monotonic()
      if (start > until) return [...answers, () => this.#queue.putBack(writes.slice(index))]
      answers.push(await this.#runOne(group, write, tx))
      this.#queue.noteHeld(write, clock.monotonic() - start)
    }
    return answers
  }

  async #runOne(group: Group, write: QueuedWrite, tx?: Queryable): Promise<Answer> {
    const { term = this.#term } = write.options
    this.#term = Math.max(this.#term, term)
    if (write.actor.hasGone?.() === true) return () => write.reject(callerGone())
    if (term === this.#term) return runWrite(this.#deps, group, write, tx)
    return () => {
      this.deposed += 1
      write.reject(deposed(term, this.#term))
    }
  }
}

/** Rolls a transaction back whose write leaves nothing. Callers never see it. */
class Rollback extends Error {
  readonly answers: readonly Answer[]

  constructor(answers: readonly Answer[]) {
    super('rolled back')
    this.answers = answers
  }
}
