// The store over SQL. What it promises is in store.ts.
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/log.ts'
import type { KubeObject, ObjectRef } from '../resources/meta.ts'
import type { KeyRing } from '../secrets/key-ring.ts'
import type { KeyCacheOptions } from '../secrets/key-cache.ts'
import type { SealedValueOpener } from '../secrets/sealed-place.ts'
import { ProjectKeyCache } from '../secrets/project-keys.ts'
import {
  dropOldChanges,
  dropOldEvents,
  dropOldVersions,
  finishNamespaces,
  type Retention,
} from './compaction.ts'
import { Deliveries } from './deliveries.ts'
import { Feed } from './feed.ts'
import { revealSecret, revealSet } from './history/reveal.ts'
import { deletedSecrets, listRevisions, versionsOf } from './history/versions.ts'
import { listPage, refuseBefore } from './pages.ts'
import { dropUnusedProjects } from './project-ends.ts'
import type { HeadCache } from './projects.ts'
import { getObjectByUid, getStored, listObjects, revisionsOf } from './reads.ts'
import { closeDue, listOpen, type OpenProject } from './revisions.ts'
import type { WriteSession } from './session.ts'
import { openSets, readSet } from './sets.ts'
import type { Sql } from './sql.ts'
import { surroundingsIn } from './surroundings.ts'
import { dropOldTombstones } from './tombstones.ts'
import type {
  Actor,
  ChangeEvent,
  DeletedSecret,
  Delivery,
  ListOptions,
  ObjectList,
  ObjectPage,
  OnCloseFault,
  OpenedEntry,
  PageOptions,
  ProjectRevisions,
  RevealedSet,
  RevisionInfo,
  SecretSet,
  SecretVersion,
  Store,
  StoreHealth,
  StoredObject,
  Surroundings,
  Transaction,
  WriteOptions,
} from './store.ts'
import { StoreTransaction } from './transaction.ts'
import { Writer } from './writer.ts'

const system: Actor = { name: 'controller', source: 'system' }
const healthMs = 1_500
/** A write takes milliseconds; the database ends a statement that waits for 15 s. */
const stuckAfterMs = 10_000

const earliest = (open: readonly OpenProject[]): number | undefined =>
  open.length === 0 ? undefined : Math.min(...open.map(({ dueAt }) => dueAt))

export interface SqlStoreDeps {
  readonly sql: Sql
  readonly keyRing: KeyRing
  /** How long unwrapped keys stay in memory; see KeyCacheOptions. */
  readonly keyCache?: Omit<KeyCacheOptions, 'clock'>
  readonly clock: Clock
  readonly log: Logger
  readonly retention: Retention
  readonly sealedValues?: SealedValueOpener | undefined
}

/** What the store and its leaders' views of it share. */
interface Parts extends SqlStoreDeps {
  readonly keys: ProjectKeyCache
  readonly feed: Feed
  readonly writer: Writer
  readonly surroundings: ReturnType<typeof surroundingsIn>
  readonly audit: { listener?: () => void }
}

const assemble = (deps: SqlStoreDeps, head: number): Parts => {
  const { sql, keyRing: provider, clock, sealedValues } = deps
  const keys = new ProjectKeyCache(provider, { clock, ...deps.keyCache })
  const feed = new Feed(deps, head)
  const heads: HeadCache = new Map()
  const audit: Parts['audit'] = {}
  const onAudit = (): void => {
    audit.listener?.()
  }
  const writer = new Writer({ sql, provider, clock, keys, heads, feed, sealedValues, onAudit })
  return { ...deps, keys, feed, writer, surroundings: surroundingsIn(sql), audit }
}

export class SqlStore implements Store {
  readonly #parts: Parts
  readonly #fence: { readonly term?: number }
  readonly #sql: Sql
  readonly #keyRing: KeyRing
  readonly #clock: Clock
  readonly #retention: Retention
  readonly #keys: ProjectKeyCache
  readonly #feed: Feed
  readonly #writer: Writer
  readonly #deliveries: Deliveries

  private constructor(parts: Parts, fence: { readonly term?: number }) {
    this.#parts = parts
    this.#fence = fence
    this.#sql = parts.sql
    this.#keyRing = parts.keyRing
    this.#clock = parts.clock
    this.#retention = parts.retention
    this.#keys = parts.keys
    this.#feed = parts.feed
    this.#writer = parts.writer
    this.#deliveries = new Deliveries(async (projectUid, revision, deliveries) => {
      const what = { projectUid, revision, nowMs: this.#clock.now() }
      const opened = await openSets(this.#sql, this.#keys, what, deliveries)
      this.#parts.audit.listener?.()
      return opened
    })
  }

  /** Over a migrated database. */
  static async start(deps: SqlStoreDeps): Promise<SqlStore> {
    const [counters] = await deps.sql.query<{ rv: number }>('SELECT rv FROM counters')
    const parts = assemble(deps, counters?.rv ?? 0)
    await parts.feed.start()
    return new SqlStore(parts, {})
  }

  /** This store for the loops of a leader: every write is refused once the term is over. */
  asLeader(term: number): SqlStore {
    return new SqlStore(this.#parts, { term })
  }

  async get(ref: ObjectRef): Promise<KubeObject | undefined> {
    return (await this.getStored(ref))?.object
  }

  getStored(ref: ObjectRef): Promise<StoredObject | undefined> {
    return getStored(this.#sql, ref)
  }

  getByUid(kind: string, uid: string): Promise<KubeObject | undefined> {
    return getObjectByUid(this.#sql, kind, uid)
  }

  list(kind: string, options: ListOptions = {}): Promise<ObjectList> {
    return listObjects(this.#sql, kind, options)
  }

  listPage(kind: string, options: PageOptions): Promise<ObjectPage> {
    return listPage(this.#sql, kind, options)
  }

  readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet> {
    return readSet(this.#sql, this.#keys, projectUid, revision)
  }

  revisionsOf(projectUid: string): Promise<ProjectRevisions> {
    return revisionsOf(this.#sql, projectUid)
  }

  surroundingsOf(project: ObjectRef, mostStagelets: number): Promise<Surroundings> {
    return this.#parts.surroundings({ project, mostStagelets })
  }

  write<T>(actor: Actor, options: WriteOptions, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#writer.run(actor, { ...options, ...this.#fence }, (session) =>
      fn(new StoreTransaction(session)),
    )
  }

  /** As write, for the siblings of the store that keep tables of their own. */
  writeWithSession<T>(
    actor: Actor,
    fn: (session: WriteSession, tx: Transaction) => Promise<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#writer.run(actor, { ...options, ...this.#fence }, (session) =>
      fn(session, new StoreTransaction(session)),
    )
  }

  /** Calls `listener` after each commit of this process that made audit rows. */
  onAudit(listener: () => void): void {
    this.#parts.audit.listener = listener
  }

  openSet(projectUid: string, revision: number, delivery: Delivery): Promise<OpenedEntry[]> {
    return this.#deliveries.open(projectUid, revision, delivery)
  }

  versionsOf(secretUid: string): Promise<SecretVersion[]> {
    return versionsOf(this.#sql, secretUid)
  }

  listRevisions(projectUid: string): Promise<RevisionInfo[]> {
    return listRevisions(this.#sql, projectUid)
  }

  get deletedMs(): number {
    return this.#retention.deletedMs
  }

  deletedSecrets(projectUid: string): Promise<DeletedSecret[]> {
    return deletedSecrets(this.#sql, projectUid, this.deletedMs)
  }

  revealSecret(
    actor: Actor,
    ref: ObjectRef,
    what: { version?: number | undefined; asWritten?: boolean | undefined } = {},
  ): Promise<OpenedEntry> {
    return this.#writer.run(actor, this.#fence, (session) => revealSecret(session, ref, what))
  }

  revealSet(actor: Actor, project: ObjectRef, what: RevealedSet): Promise<OpenedEntry[]> {
    return this.#writer.run(actor, this.#fence, (session) => revealSet(session, project, what))
  }

  async closeDueRevisions(now: number, onFault?: OnCloseFault): Promise<number | undefined> {
    const open = await listOpen(this.#sql)
    const due = open.filter(({ dueAt }) => dueAt <= now)
    if (due.length === 0) return earliest(open)
    const faults: unknown[] = []
    // Each alone: one that cannot be closed, for its key is away, keeps no other waiting.
    const closing = due.map((one) =>
      this.#writer
        .run(system, this.#fence, (session) => closeDue(session, one, now))
        .catch((error: unknown) => {
          if (onFault === undefined) faults.push(error)
          else onFault(`${one.namespace}/${one.name}`, error)
        }),
    )
    await Promise.all(closing)
    if (faults.length > 0) throw faults[0]
    return earliest((await listOpen(this.#sql)).filter(({ dueAt }) => dueAt > now))
  }

  /** How many writes of a leader were refused here because another had taken its place. */
  get deposedWrites(): number {
    return this.#writer.deposed
  }

  async currentVersion(): Promise<number> {
    const [row] = await this.#sql.query<{ rv: number }>('SELECT rv FROM counters')
    return row?.rv ?? 0
  }

  async *watch(
    after: number,
    signal: AbortSignal,
    scope?: ListOptions,
  ): AsyncGenerator<ChangeEvent[]> {
    if (scope !== undefined) await refuseBefore(this.#sql, after, scope)
    yield* this.#feed.watch(after, signal)
  }

  async health(): Promise<StoreHealth> {
    const fault = await this.#databaseFault()
    if (fault !== undefined) return { ok: false, failed: 'database', reason: fault }
    const stuckMs = this.#writer.stuckMs
    if (stuckMs > stuckAfterMs) {
      const reason = `no write has got through for ${Math.round(stuckMs / 1000)} s`
      return { ok: false, failed: 'writes', reason }
    }
    this.#keys.sweep()
    const keys = await this.#keyRing.health()
    return keys.ok ? keys : { ...keys, failed: 'key-provider' }
  }

  /** Who asks for the health waits less long than a statement may take. */
  async #databaseFault(): Promise<string | undefined> {
    const done = new AbortController()
    const late = this.#clock.sleep(healthMs, done.signal).then(
      () => 'the database does not answer',
      () => undefined,
    )
    const answer = this.#sql.query('SELECT 1').then(() => undefined, messageOf)
    return Promise.race([late, answer]).finally(() => {
      done.abort()
    })
  }

  async compact(now: number): Promise<void> {
    await this.#writer.run(system, this.#fence, async (session) => {
      await dropOldEvents(session, now)
      await finishNamespaces(session)
      await dropOldChanges(session, now)
      await dropOldTombstones(session, now - this.#retention.deletedMs)
      await dropOldVersions(session.tx, this.#retention)
      await dropUnusedProjects(session)
      await session.tx.query('DELETE FROM join_tokens WHERE expires_at < $1', [now])
      await session.tx.query('DELETE FROM idempotency_keys WHERE expires_at < $1', [now])
    })
  }

  /** Ends every watch, waits for writes that were begun, and closes the database. */
  async close(): Promise<void> {
    await this.#writer.settle()
    await this.#feed.stop()
    this.#keys.clear()
    this.#keyRing.close()
    await this.#sql.close()
  }
}
