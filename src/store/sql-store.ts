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
import type { ReadWay } from './audit/reads.ts'
import { Feed } from './feed.ts'
import { revealSecret, revealSet } from './history/reveal.ts'
import { deletedSecrets, listRevisions, versionsOf } from './history/versions.ts'
import { listPage } from './pages.ts'
import type { HeadCache } from './projects.ts'
import { getObject, getObjectByUid, listObjects, revisionsOf } from './reads.ts'
import { closeDue, listOpen } from './revisions.ts'
import type { WriteSession } from './session.ts'
import { openSet, readSet } from './sets.ts'
import type { Sql } from './sql.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { dropOldTombstones } from './tombstones.ts'
import type {
  Actor,
  ChangeEvent,
  DeletedSecret,
  ListOptions,
  ObjectList,
  ObjectPage,
  OpenedEntry,
  PageOptions,
  ProjectRevisions,
  RevisionInfo,
  SecretSet,
  SecretVersion,
  Store,
  StoreHealth,
  Transaction,
  WriteOptions,
} from './store.ts'
import { StoreTransaction } from './transaction.ts'
import { Writer } from './writer.ts'

const system: Actor = { name: 'controller', source: 'system' }

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

export class SqlStore implements Store {
  readonly #sql: Sql
  readonly #keyRing: KeyRing
  readonly #clock: Clock
  readonly #retention: Retention
  readonly #keys: ProjectKeyCache
  readonly #feed: Feed
  readonly #writer: Writer
  #onAudit: (() => void) | undefined

  private constructor(deps: SqlStoreDeps, head: number) {
    this.#sql = deps.sql
    this.#keyRing = deps.keyRing
    this.#clock = deps.clock
    this.#retention = deps.retention
    this.#keys = new ProjectKeyCache(deps.keyRing, { clock: deps.clock, ...deps.keyCache })
    this.#feed = new Feed(deps, head)
    const heads: HeadCache = new Map()
    const { sql, keyRing: provider, clock, sealedValues } = deps
    const onAudit = (): void => {
      this.#onAudit?.()
    }
    const common = { sql, provider, clock, keys: this.#keys, heads, feed: this.#feed, sealedValues }
    this.#writer = new Writer({ ...common, onAudit })
  }

  /** Over a migrated database. */
  static async start(deps: SqlStoreDeps): Promise<SqlStore> {
    const [counters] = await deps.sql.query<{ rv: number }>('SELECT rv FROM counters')
    const store = new SqlStore(deps, counters?.rv ?? 0)
    await store.#feed.start()
    return store
  }

  get(ref: ObjectRef): Promise<KubeObject | undefined> {
    return getObject(this.#sql, ref)
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

  write<T>(actor: Actor, options: WriteOptions, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#writer.run(actor, options, (session) => fn(new StoreTransaction(session)))
  }

  /** As write, for the siblings of the store that keep tables of their own. */
  writeWithSession<T>(
    actor: Actor,
    fn: (session: WriteSession, tx: Transaction) => Promise<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#writer.run(actor, options, (session) => fn(session, new StoreTransaction(session)))
  }

  /** Calls `listener` after each commit of this process that made audit rows. */
  onAudit(listener: () => void): void {
    this.#onAudit = listener
  }

  async openSet(
    projectUid: string,
    revision: number,
    delivery: { stagelet: string; agent: string },
  ): Promise<OpenedEntry[]> {
    const what = { projectUid, revision, nowMs: this.#clock.now() }
    const entries = await openSet(this.#sql, this.#keys, what, delivery)
    this.#onAudit?.()
    return entries
  }

  versionsOf(secretUid: string): Promise<SecretVersion[]> {
    return versionsOf(this.#sql, secretUid)
  }

  listRevisions(projectUid: string): Promise<RevisionInfo[]> {
    return listRevisions(this.#sql, projectUid)
  }

  deletedSecrets(projectUid: string): Promise<DeletedSecret[]> {
    return deletedSecrets(this.#sql, projectUid, this.#retention.deletedMs)
  }

  revealSecret(actor: Actor, ref: ObjectRef, version?: number): Promise<OpenedEntry> {
    return this.#writer.run(actor, {}, (session) => revealSecret(session, ref, version))
  }

  revealSet(
    actor: Actor,
    project: ObjectRef,
    what: { way: ReadWay; choose: (entries: readonly SetEntry[]) => readonly SetEntry[] },
  ): Promise<OpenedEntry[]> {
    return this.#writer.run(actor, {}, (session) => revealSet(session, project, what))
  }

  async closeDueRevisions(now: number): Promise<number | undefined> {
    let open = await listOpen(this.#sql)
    if (open.some((o) => o.dueAt <= now)) {
      await this.#writer.run(system, {}, (session) => closeDue(session, now))
      open = await listOpen(this.#sql)
    }
    return open.length === 0 ? undefined : Math.min(...open.map((o) => o.dueAt))
  }

  async currentVersion(): Promise<number> {
    const [row] = await this.#sql.query<{ rv: number }>('SELECT rv FROM counters')
    return row?.rv ?? 0
  }

  watch(after: number, signal: AbortSignal): AsyncIterable<ChangeEvent[]> {
    return this.#feed.watch(after, signal)
  }

  async health(): Promise<StoreHealth> {
    try {
      await this.#sql.query('SELECT 1')
    } catch (error) {
      return { ok: false, failed: 'database', reason: messageOf(error) }
    }
    this.#keys.sweep()
    const keys = await this.#keyRing.health()
    return keys.ok ? keys : { ...keys, failed: 'key-provider' }
  }

  async compact(now: number): Promise<void> {
    await this.#writer.run(system, {}, async (session) => {
      await dropOldEvents(session, now)
      await finishNamespaces(session)
      await dropOldChanges(session, now)
      await dropOldTombstones(session, now - this.#retention.deletedMs)
      await dropOldVersions(session.tx, this.#retention)
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
