// Runs writes. All that wait while one commit is on its way share the next: each is run on the state as the
// ones before it leave it, and what they change goes to the database in one statement. Where another
// replica's commit came first, they are run again. See ADR 0048.
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ChainPoint } from '../audit/texts.ts'
import { isReason } from '../kernel/errors.ts'
import { FairLock } from '../kernel/fair-lock.ts'
import { deposed, internal } from './errors.ts'
import type { Feed } from './feed.ts'
import { Group } from './group.ts'
import { commit, lockCounters, wasCommitted, type Commit } from './log/commit.ts'
import { Preparations } from './preparations.ts'
import type { WriteSession } from './session.ts'
import type { Actor, Review, WriteOptions } from './store.ts'
import type { Queryable } from './sql.ts'
import { runJob, type Asked, type Job, type JobDeps, type Settle } from './write-job.ts'

/** Bounds how long the first of a group waits for the last. */
const groupSize = 64
/** A group that other replicas were ahead of so often takes the counter row first. */
const mostLost = 2
/** A review of a state that changes under it is run so often. */
const mostReviews = 10
/** Commits whose answer was lost and that are not there. */
const mostRepeats = 2

export interface WriterDeps extends JobDeps {
  readonly feed: Feed
  /** See StoreParts. */
  readonly fresh: () => Promise<void>
}

export class Writer {
  readonly #deps: WriterDeps
  readonly #reviews = new FairLock()
  #waiting: Job[] = []
  /** Newest term that is known. */
  #term = 0
  /** Since when (ms) no write has got through although some wait. */
  #stuckSince: number | undefined
  #running: Promise<void> | undefined
  /** Reviews, and what is made for writes that will begin anew. */
  readonly #preparing = new Set<Promise<unknown>>()
  /** Writes of leaders that were replaced, since the start. */
  deposed = 0
  /** The newest audit row that this process has written, or found at its start. */
  ownAudit: ChainPoint

  constructor(deps: WriterDeps) {
    this.#deps = deps
    this.ownAudit = deps.feed.state.chain
  }

  /**
   * Runs `work` on the state. With dryRun nothing of it stays. Where it needs a preparation
   * (preparations.ts) or a transaction, what it did is dropped and `work` is called again.
   */
  async run<T>(
    actor: Actor,
    options: WriteOptions,
    work: (session: WriteSession) => Promise<T>,
  ): Promise<T> {
    const preparations = new Preparations()
    let isLocked = false
    for (;;) {
      const job = { actor, options, work, preparations, isLocked }
      const outcome = await (options.review === undefined
        ? this.#enqueue(job)
        : this.#review(job, options.review))
      if ('result' in outcome) return outcome.result as T
      if (outcome.again === 'in a transaction') isLocked = true
      else await this.#while(preparations.make())
    }
  }

  /** One at a time, beside the writes: nothing of it is stored. */
  async #review(job: Asked, review: Review): Promise<Parameters<Job['resolve']>[0]> {
    const { id, name } = job.actor
    const done = await this.#reviews.take(id ?? name, review.signal)
    try {
      for (let tries = 1; ; tries += 1) {
        const { rv } = this.#deps.feed.state
        try {
          return await this.#while(this.#reviewOnce(job))
        } catch (error) {
          // What others stored meanwhile may be all that it trips over.
          const isSame = rv === this.#deps.feed.state.rv
          if (isSame || tries === mostReviews || review.signal?.aborted) throw error
        }
      }
    } finally {
      done()
    }
  }

  #reviewOnce(job: Asked): Promise<Parameters<Job['resolve']>[0]> {
    return new Promise((resolve, reject) => {
      const one = { ...job, resolve, reject }
      if (job.isLocked) {
        this.#commitLocked([one]).catch(reject)
        return
      }
      this.#runJob(new Group(this.#deps.feed.state), one).then((settle) => {
        settle()
      }, reject)
    })
  }

  async #while<T>(work: Promise<T>): Promise<T> {
    this.#preparing.add(work)
    try {
      return await work
    } finally {
      this.#preparing.delete(work)
    }
  }

  #enqueue(job: Asked): Promise<Parameters<Job['resolve']>[0]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...job, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** For how long (ms) no write has got through although some wait. */
  get stuckMs(): number {
    return this.#stuckSince === undefined ? 0 : this.#deps.clock.now() - this.#stuckSince
  }

  /** Waits for all writes that were begun. */
  async settle(): Promise<void> {
    while (this.#running !== undefined || this.#preparing.size > 0) {
      await this.#running
      // Those that wait begin anew in the same turn.
      await Promise.allSettled(this.#preparing)
    }
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        this.#stuckSince ??= this.#deps.clock.now()
        // What has arrived is read first, so that it shares the commit.
        await nextTurn()
        if (await this.#serve(this.#next())) this.#stuckSince = undefined
      }
    } finally {
      // In the same step as the last look: a write that comes between the two would wait for ever.
      this.#running = undefined
    }
  }

  /** Those that come next and may share a commit. */
  #next(): Job[] {
    const first = this.#waiting.findIndex(({ isLocked }) => isLocked)
    const size = first < 0 ? groupSize : Math.max(1, Math.min(first, groupSize))
    return this.#waiting.splice(0, size)
  }

  /** False where the database did not answer. */
  async #serve(jobs: readonly Job[]): Promise<boolean> {
    try {
      await (jobs[0]?.isLocked === true ? this.#commitLocked(jobs) : this.#commit(jobs))
      return true
    } catch (error) {
      this.#deps.feed.poke()
      if (isReason(error, 'ServiceUnavailable') || jobs.length === 1) {
        for (const job of jobs) job.reject(internal(error))
        return !isReason(error, 'ServiceUnavailable')
      }
      // The database refused what admission had let pass: each alone, so that it fails no other.
      for (const job of jobs) await this.#serve([job])
      return true
    }
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    const { feed } = this.#deps
    for (let lost = 0; lost <= mostLost; lost++) {
      const group = new Group(feed.state)
      const settles = await this.#runAll(group, jobs)
      if (!isCurrent(group, feed) || !(await this.#store(group))) continue
      this.#publish(group, settles)
      return
    }
    await this.#commitLocked(jobs)
  }

  /** False where the writes have to be run again. */
  async #store(group: Group): Promise<boolean> {
    const { sql, feed, clock, fresh } = this.#deps
    if (group.isEmpty) {
      // What was found must be so: another replica may have written what is not read yet.
      await fresh()
      return isCurrent(group, feed)
    }
    const made = this.#commitOf(group)
    for (let repeats = 0; ; repeats++) {
      const one = { id: randomUUID(), at: clock.now() }
      try {
        const answer = await commit(sql, { ...made, ...one })
        this.#term = Math.max(this.#term, answer.term)
        if (!answer.done) await feed.reach(answer.rv)
        return answer.done
      } catch (error) {
        if (!isReason(error, 'ServiceUnavailable')) throw error
        // Only the answer may be lost.
        if (await wasCommitted(sql, one)) return true
        if (repeats >= mostRepeats) throw error
      }
    }
  }

  #publish(group: Group, settles: readonly Settle[]): void {
    this.#deps.feed.append(group.startRv, group.commit)
    for (const settle of settles) settle()
    if (group.isAudited) this.ownAudit = group.chain
  }

  /** In a transaction that holds the counter row: for statements of others, and where other replicas are too fast. */
  async #commitLocked(jobs: readonly Job[]): Promise<void> {
    const { sql, feed, clock } = this.#deps
    const one = { id: randomUUID(), at: clock.now() }
    let done: { group: Group; settles: readonly Settle[] } | undefined
    try {
      await sql.transaction(async (tx) => {
        const standing = await lockCounters(tx)
        this.#term = Math.max(this.#term, standing.term)
        await feed.reach(standing.rv, tx)
        const group = new Group(feed.state)
        const settles = await this.#runAll(group, jobs, tx)
        // Statements of a write that failed, or was a dry run.
        if (jobs[0]?.isLocked === true && group.absorbed === 0) throw new TakenBack(settles)
        if (!group.isEmpty) {
          const answer = await commit(tx, { ...this.#commitOf(group), ...one })
          // Nobody else commits while this transaction holds the counter row. What is not stored is never told.
          if (!answer.done) throw new Error('a commit that holds the counter row was refused')
        }
        done = { group, settles }
      })
    } catch (error) {
      if (error instanceof TakenBack) {
        for (const settle of error.settles) settle()
        return
      }
      const isLost = isReason(error, 'ServiceUnavailable') && done !== undefined
      if (!isLost || !(await wasCommitted(sql, one))) throw error
    }
    if (done !== undefined) this.#publish(done.group, done.settles)
  }

  #commitOf(group: Group): Omit<Commit, 'id' | 'at'> {
    const { sql, feed } = this.#deps
    const payload = group.payload()
    return {
      ...{ expected: group.startRv, next: group.rv, payload },
      leader: group.leader,
      origin: sql.kind === 'pglite' ? undefined : feed.origin,
    }
  }

  async #runAll(group: Group, jobs: readonly Job[], tx?: Queryable): Promise<Settle[]> {
    const settles: Settle[] = []
    for (const job of jobs) settles.push(await this.#runJob(group, job, tx))
    return settles
  }

  async #runJob(group: Group, job: Job, tx?: Queryable): Promise<Settle> {
    const { term = this.#term } = job.options
    this.#term = Math.max(this.#term, term)
    if (term === this.#term) return runJob(this.#deps, { group, job, tx })
    return () => {
      this.deposed += 1
      job.reject(deposed(term, this.#term))
    }
  }
}

/** Never thrown to callers: a write in a transaction that is to leave nothing. */
class TakenBack extends Error {
  readonly settles: readonly Settle[]

  constructor(settles: readonly Settle[]) {
    super('taken back')
    this.settles = settles
  }
}

/** Nothing was read from the log since the writes began. */
const isCurrent = ({ state, startRv }: Group, feed: Feed): boolean =>
  feed.state === state && state.rv === startRv
