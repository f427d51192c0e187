// The store over SQL. Its promises are in store.ts.
import type { ChainPoint } from '../audit/texts.ts'
import { copyJson } from '../kernel/copy-json.ts'
import { keyOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { ofKind, type ObjectOf } from '../resources/typed.ts'
import { noteLoss } from './backup/lost-commits.ts'
import { auditDeliveries, type DeliveredSet } from './agents/audit-deliveries.ts'
import { createDeliveries } from './agents/deliveries.ts'
import { Feed } from './log/feed.ts'
import { revealSecret, revealSet } from './history/reveal.ts'
import { deletedSecrets, listRevisions, versionsOf } from './history/versions.ts'
import { loadState } from './log/load.ts'
import { pageAt, pageNow, refuseBefore } from './objects/pages.ts'
import { closeDueRevisions } from './revisions.ts'
import { headIn, isHead, revisionsIn, rowsOf, projectSummaryIn } from './objects/reads.ts'
import type { AuditEntry, WriteSession } from './core/write-session.ts'
import { readSet } from './secrets/set-rows.ts'
import { openSets } from './secrets/sets.ts'
import { namedProjects, term } from './state/rows.ts'
import type { State } from './state/state.ts'
import type {
  Actor,
  ChangeEvent,
  DeletedSecret,
  Delivery,
  ListedObject,
  ListOptions,
  ObjectList,
  ObjectPage,
  OnCloseFault,
  OpenedEntry,
  PageOptions,
  ProjectRevisions,
  RevealedOne,
  RevealedSet,
  RevisionInfo,
  SecretSet,
  SecretVersion,
  Store,
  StoreHealth,
  StoredObject,
  ProjectSummary,
  Transaction,
  WriteOptions,
} from './store.ts'
import { StoreTransaction } from './transaction.ts'
import { checkSets, compact, healthOf } from './upkeep.ts'
import { assemble, type Fence, type SqlStoreDeps, type StoreParts } from './store-parts.ts'

export class SqlStore implements Store {
  readonly #parts: StoreParts
  readonly #fence: Fence
  readonly #openSet: Store['openSet']

  private constructor(parts: StoreParts, fence: Fence) {
    this.#parts = parts
    this.#fence = fence
    const { sql, keys, writer } = parts
    this.#openSet = createDeliveries((projectUid, revision, deliveries) => {
      const audit = (set: DeliveredSet): Promise<void> =>
        auditDeliveries(sql, writer, set, deliveries)
      return openSets(sql, keys, { projectUid, revision, audit }, deliveries)
    })
  }

  /** Over a migrated database. */
  static async start(deps: SqlStoreDeps): Promise<SqlStore> {
    const { sql } = deps
    const feed = await Feed.open({
      ...deps,
      load: () => loadState(sql),
      noteLoss: (state) => noteLoss(sql, deps, state),
    })
    return new SqlStore(assemble(deps, feed), {})
  }

  /** The store for the loops of a leader: writes are refused once the term is over, and reads never ask the database. */
  asLeader(term: number): SqlStore {
    return new SqlStore(this.#parts, { term })
  }

  /** The state of this replica: writes of others may be missing. */
  get state(): State {
    return this.#parts.feed.state
  }

  /** A leader's loops do not wait for the newest state: a change that they miss calls them again. */
  async #fresh(): Promise<State> {
    if (this.#fence.term === undefined) await this.#parts.fresh()
    return this.#parts.feed.state
  }

  async get<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined> {
    const row = await this.getStored(ref)
    return row && ofKind(ref.kind, copyJson(row.object))
  }

  async getStored(ref: ObjectRef): Promise<StoredObject | undefined> {
    return (await this.#fresh()).objects.get(keyOf(ref))
  }

  async getByUid(kind: string, uid: string): Promise<KubeObject | undefined> {
    const rows = (await this.#fresh()).objects.withTerm(term.uid(uid))
    return rows.find(({ object }) => object.kind === kind)?.object
  }

  async list<K extends string>(kind: K, options: ListOptions = {}): Promise<ObjectList<K>> {
    const state = await this.#fresh()
    const items = rowsOf(state, kind, options).map(({ object }) => ofKind(kind, object))
    return { items, resourceVersion: state.rv }
  }

  async listRows(kind: string, options: ListOptions = {}): Promise<readonly ListedObject[]> {
    return rowsOf(await this.#fresh(), kind, options)
  }

  async namedProjects(): Promise<readonly ObjectRef[]> {
    return namedProjects((await this.#fresh()).objects)
  }

  async listPage(kind: string, options: PageOptions): Promise<ObjectPage> {
    const state = await this.#fresh()
    const { at } = options
    if (at === undefined || at === state.rv) return pageNow(state, kind, options)
    return pageAt(this.#parts.sql, state, kind, { ...options, at })
  }

  async readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet> {
    const state = await this.#fresh()
    if (!isHead(state, projectUid, revision))
      return readSet(this.#parts.sql, this.#parts.keys, projectUid, revision)
    const set = await headIn(state, state.epoch, this.#parts.keys, projectUid)
    return revision === 'head' ? set : { ...set, revision }
  }

  async revisionsOf(projectUid: string): Promise<ProjectRevisions> {
    const state = await this.#fresh()
    return revisionsIn(state, state.epoch, projectUid)
  }

  projectSummary(project: ObjectRef, mostStagelets: number): Promise<ProjectSummary> {
    return Promise.resolve(projectSummaryIn(this.state, project, mostStagelets))
  }

  write<T>(actor: Actor, options: WriteOptions, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#parts.writer.run(actor, { ...options, ...this.#fence }, (session) =>
      fn(new StoreTransaction(session)),
    )
  }

  /** Like write(), for parts of the store with tables of their own. */
  writeWithSession<T>(
    actor: Actor,
    fn: (session: WriteSession, tx: Transaction) => Promise<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#parts.writer.run(actor, { ...options, ...this.#fence }, (session) =>
      fn(session, new StoreTransaction(session)),
    )
  }

  /** Writes an audit row for an action that is no write. */
  audit(actor: Actor, ref: ObjectRef, entry: AuditEntry): Promise<void> {
    // Whoever was refused hangs up as he likes: the row is written all the same.
    const { hasGone: _, ...who } = actor
    return this.#parts.writer.run(who, {}, (session) => {
      session.audit(ref, entry)
      return Promise.resolve()
    })
  }

  /** The newest audit row of this process; before its first one, the newest row at its start. */
  get ownAudit(): ChainPoint {
    return this.#parts.writer.ownAudit
  }

  /** The newest audit row of all. */
  async newestAudit(): Promise<ChainPoint> {
    return (await this.#fresh()).chain
  }

  openSet(projectUid: string, revision: number, delivery: Delivery): Promise<OpenedEntry[]> {
    return this.#openSet(projectUid, revision, delivery)
  }

  versionsOf(secretUid: string): Promise<SecretVersion[]> {
    return versionsOf(this.#parts.sql, secretUid)
  }

  listRevisions(projectUid: string): Promise<RevisionInfo[]> {
    return listRevisions(this.#parts.sql, projectUid)
  }

  get deletedMs(): number {
    return this.#parts.retention.deletedMs
  }

  deletedSecrets(projectUid: string): Promise<DeletedSecret[]> {
    return deletedSecrets(this.#parts.sql, projectUid, this.deletedMs)
  }

  revealSecret(actor: Actor, ref: ObjectRef, what: RevealedOne = {}): Promise<OpenedEntry> {
    return this.#parts.writer.run(actor, this.#fence, (session) => revealSecret(session, ref, what))
  }

  revealSet(actor: Actor, project: ObjectRef, what: RevealedSet): Promise<OpenedEntry[]> {
    return this.#parts.writer.run(actor, this.#fence, (session) =>
      revealSet(session, project, what),
    )
  }

  closeDueRevisions(now: number, onFault?: OnCloseFault): Promise<number | undefined> {
    return closeDueRevisions(this.#parts, this.#fence, { now, onFault })
  }

  checkSets(): Promise<ObjectRef[]> {
    return checkSets(this.#parts)
  }

  /** How many writes of deposed leaders were refused here. */
  get deposedWrites(): number {
    return this.#parts.writer.deposed
  }

  async currentVersion(): Promise<number> {
    return (await this.#fresh()).rv
  }

  async *watch(
    after: number,
    signal: AbortSignal,
    scope?: ListOptions,
  ): AsyncGenerator<ChangeEvent[]> {
    if (scope !== undefined) await refuseBefore(this.#parts.sql, after, scope)
    yield* this.#parts.feed.watch(after, signal)
  }

  health(): Promise<StoreHealth> {
    return healthOf(this.#parts)
  }

  compact(now: number): Promise<void> {
    return compact(this.#parts, this.#fence, now)
  }

  /** Ends every watch, waits for writes that were begun, and closes the database. */
  async close(): Promise<void> {
    const { writer, alone, feed, keys, keyRing, sql } = this.#parts
    await writer.idle()
    await alone?.release()
    await feed.stop()
    keys.clear()
    keyRing.close()
    await sql.close()
  }
}
