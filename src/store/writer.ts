// Runs writes. All that wait while one transaction commits share the next: one counter lock, one
// fsync, one NOTIFY. Each write is whole by itself, behind a savepoint, and fails alone.
import type { Clock } from '../kernel/clock.ts'
import { isReason } from '../kernel/errors.ts'
import { FairTurn } from '../kernel/fair-turn.ts'
import { alreadyExists, deposed, internal, invalid, sqlStateOf } from './errors.ts'
import { changesChannel, type Feed } from './feed.ts'
import { PendingProjects } from './pending-projects.ts'
import { GroupReads } from './group-reads.ts'
import { onPrivateCopy, type Review } from './private-copy.ts'
import { Preparations } from './preparations.ts'
import { finishProjects } from './revisions.ts'
import { WriteSession, type SessionDeps } from './session.ts'
import type { Queryable, Sql } from './sql.ts'
import type { Actor, ChangeEvent, WriteOptions } from './store.ts'
import { refOf, type KubeObject } from '../resources/meta.ts'
import { checkRemoved } from './values/followers.ts'
import { settleReferences } from './values/references.ts'

/** Bounds how long the first of a group waits for the last. */
const groupSize = 64

interface Job {
  readonly actor: Actor
  readonly options: WriteOptions
  readonly preparations: Preparations
  readonly work: (session: WriteSession) => Promise<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

type Asked<T> = Omit<Job, 'work' | 'resolve' | 'reject'> & {
  readonly work: (session: WriteSession) => Promise<T>
}

type Transact = (work: (tx: Queryable) => Promise<Group>) => Promise<Group>

interface Group {
  readonly tx: Queryable
  readonly epoch: number
  /** Of the leader of now. Read with the lock: a leader that was replaced while it waited sees it. */
  readonly term: number
  readonly startRv: number
  rv: number
  readonly events: ChangeEvent[]
  readonly reads: GroupReads
  /** Of the writes so far. Nobody has waited for what they sent. */
  readonly sessions: WriteSession[]
  readonly pending: PendingProjects
  /** What puts the savepoint where the next write begins. */
  savepoint: '' | 'SAVEPOINT write' | 'RELEASE SAVEPOINT write; SAVEPOINT write'
  audited: boolean
}

export interface WriterDeps extends SessionDeps {
  readonly sql: Sql
  readonly clock: Clock
  readonly feed: Feed
  /** After a commit with audit rows. */
  readonly onAudit?: () => void
}

/** Never thrown to callers: takes the transaction of a lone failed write back. */
class Rollback extends Error {}

const advance = 'UPDATE counters SET rv = $1'
const advanceAndNotify = `WITH advanced AS (${advance}) SELECT pg_notify('${changesChannel}', $2)`

const uniqueViolation = '23505'

/** What the checks before a write find first is named there; this is the last fence. */
const translate = (error: unknown, object: KubeObject | undefined): unknown => {
  if (sqlStateOf(error) !== uniqueViolation || object === undefined) return internal(error)
  const ref = refOf(object)
  const { constraint } = error as { constraint?: string }
  if (constraint === 'objects_kind_namespace_name_key') return alreadyExists(ref)
  const message = 'Duplicate value: another object has the same identity'
  return invalid(ref, [{ field: 'spec', reason: 'FieldValueDuplicate', message }])
}

/** The first statement that failed, of those that were sent and not waited for. */
const failureOf = async (
  sessions: readonly WriteSession[],
): Promise<{ error: unknown; object: KubeObject | undefined } | undefined> => {
  for (const session of sessions) {
    try {
      await session.settled()
    } catch (error) {
      return { error, object: session.writing }
    }
  }
  return undefined
}

export class Writer {
  readonly #deps: WriterDeps
  readonly #reviews = new FairTurn()
  #waiting: Job[] = []
  /** Since when (ms) no write has got through although some wait. */
  #stuckSince: number | undefined
  #running: Promise<void> | undefined
  /** Reviews, and what is made for writes that will begin anew. */
  readonly #preparing = new Set<Promise<unknown>>()
  /** Writes of leaders that were replaced, since the start. */
  deposed = 0

  constructor(deps: WriterDeps) {
    this.#deps = deps
  }

  /**
   * Runs `work` in a transaction that holds the counter row. With dryRun nothing of it stays. Where
   * it needs a preparation (preparations.ts), what it did is taken back and `work` is called again.
   */
  async run<T>(
    actor: Actor,
    options: WriteOptions,
    work: (session: WriteSession) => Promise<T>,
  ): Promise<T> {
    const preparations = new Preparations()
    for (;;) {
      try {
        const job = { actor, options, work, preparations }
        return await (options.review === undefined
          ? this.#enqueue(job)
          : this.#review(job, options.review))
      } catch (error) {
        if (!preparations.wanting) throw error
        const making = preparations.make()
        this.#preparing.add(making)
        await making.finally(() => this.#preparing.delete(making))
      }
    }
  }

  /** One at a time, beside the writes. */
  async #review<T>(job: Asked<T>, review: Review): Promise<T> {
    const { id, name } = job.actor
    const done = await this.#reviews.take(id ?? name, review.signal)
    let reviewed: Promise<boolean> | undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        const one = { ...job, resolve: resolve as Job['resolve'], reject }
        const { sql } = this.#deps
        const commit = this.#commit([one], (group) => onPrivateCopy(sql, review, group))
        this.#preparing.add(commit)
        reviewed = commit
      })
    } finally {
      if (reviewed !== undefined) this.#preparing.delete(reviewed)
      done()
    }
  }

  #enqueue<T>(job: Asked<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ ...job, resolve: resolve as Job['resolve'], reject })
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
        if (await this.#commit(this.#waiting.splice(0, groupSize))) this.#stuckSince = undefined
      }
    } finally {
      // In the same step as the last look: a write that comes between the two would wait for ever.
      this.#running = undefined
    }
  }

  async #commit(
    jobs: readonly Job[],
    transact: Transact = (work) => this.#deps.sql.transaction(work),
  ): Promise<boolean> {
    const settle: (() => void)[] = []
    const sessions: WriteSession[] = []
    let done: Group | undefined
    try {
      done = await transact((tx) => this.#runGroup(tx, jobs, settle, sessions))
    } catch (error) {
      if (!(error instanceof Rollback)) {
        // It may be committed all the same, when only the answer was lost.
        this.#deps.feed.poke()
        return this.#giveUp(jobs, error, await failureOf(sessions))
      }
    }
    if (done !== undefined) this.#deps.feed.append(done.startRv, done.events)
    for (const tell of settle) tell()
    if (done?.audited === true) this.#deps.onAudit?.()
    return true
  }

  /** Where one statement failed the whole group is done again, each write by itself, so that it fails alone. */
  async #giveUp(
    jobs: readonly Job[],
    error: unknown,
    failed: { error: unknown; object: KubeObject | undefined } | undefined,
  ): Promise<boolean> {
    if (failed === undefined || isReason(failed.error, 'ServiceUnavailable')) {
      for (const job of jobs) job.reject(internal(failed?.error ?? error))
      return false
    }
    if (jobs.length > 1) for (const job of jobs) await this.#commit([job])
    else jobs[0]?.reject(translate(failed.error, failed.object))
    return true
  }

  async #runGroup(
    tx: Queryable,
    jobs: readonly Job[],
    settle: (() => void)[],
    sessions: WriteSession[],
  ): Promise<Group> {
    const locked = tx.query<{ rv: number; epoch: number; term: number }>(
      'SELECT rv, epoch, term FROM counters FOR UPDATE',
    )
    // Behind the lock: each statement sees what was committed before it.
    const reads = new GroupReads(
      tx,
      jobs.map(({ options }) => options.about),
    )
    const [counters] = await locked
    if (counters === undefined) throw new Error('the counter row is missing')
    const { rv, epoch, term } = counters
    const pending = new PendingProjects()
    const group: Group = {
      tx,
      epoch,
      term,
      startRv: rv,
      rv,
      events: [],
      reads,
      sessions,
      audited: false,
      pending,
      savepoint: 'SAVEPOINT write',
    }
    for (const job of jobs) await this.#runJob(group, job, { alone: jobs.length === 1, settle })
    await Promise.all([
      pending.save({ tx, deps: this.#deps }),
      group.rv === group.startRv ? undefined : this.#advance(group),
      ...sessions.map((session) => session.settled()),
    ])
    return group
  }

  #advance({ tx, rv }: Group): Promise<unknown> {
    const { sql, feed } = this.#deps
    // One process has no other to tell.
    if (sql.kind === 'pglite') return tx.query(advance, [rv])
    return tx.query(advanceAndNotify, [rv, feed.origin])
  }

  async #runJob(
    group: Group,
    job: Job,
    { alone, settle }: { alone: boolean; settle: (() => void)[] },
  ): Promise<void> {
    const { tx } = group
    const { actor, options, preparations } = job
    const { changeSet, term, about } = options
    if (term !== undefined && term !== group.term) {
      settle.push(() => {
        this.deposed += 1
        job.reject(deposed(term, group.term))
      })
      return
    }
    const start = { rv: group.rv, epoch: group.epoch, nowMs: this.#deps.clock.now() }
    const { pending } = group
    const ahead = await group.reads.of(about)
    const more = { changeSet, term, deps: this.#deps, pending, preparations, ahead }
    const session = new WriteSession(tx, start, actor, more)
    // Nobody waits for it: should it fail, so does all that follows.
    if (!alone && group.savepoint !== '') tx.exec(group.savepoint).catch(() => undefined)
    group.savepoint = ''
    group.sessions.push(session)
    try {
      const result = await job.work(session)
      if (preparations.wanting) throw new Error('a write went on without what it needs')
      await checkRemoved(session, session.removed)
      await settleReferences(session)
      await finishProjects(session)
      session.flush()
      if (options.dryRun === true) await session.settled()
      settle.push(() => {
        job.resolve(result)
      })
      if (options.dryRun === true) {
        pending.revert()
        await this.#undo(tx, alone)
        return
      }
    } catch (error) {
      if (error instanceof Rollback) throw error
      session.abandon()
      // What was sent before may have failed, and made the rest fail.
      if ((await failureOf(group.sessions)) !== undefined) throw error
      settle.push(() => {
        job.reject(translate(error, session.writing))
      })
      pending.revert()
      await this.#undo(tx, alone)
      return
    }
    group.savepoint = 'RELEASE SAVEPOINT write; SAVEPOINT write'
    pending.keep(session)
    group.rv = session.rv
    group.audited ||= session.audited
    group.events.push(...session.events)
    group.reads.note(session.events)
  }

  async #undo(tx: Queryable, alone: boolean): Promise<void> {
    if (alone) throw new Rollback()
    await tx.exec('ROLLBACK TO SAVEPOINT write')
  }
}
