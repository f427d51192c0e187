// The store: one system of record. Users write spec, machines write status.
//
// PROMISES
// - Writes run one after the other on the state in memory. One commit, which swaps the counter row, stores a write as a
//   whole: resourceVersion order equals commit order, and a watcher that saw N has seen all changes before N.
// - A write that changes nothing keeps its resourceVersion, makes no change-feed row, and is not audited.
// - The audit row is written in the action's own transaction: no audit, no action.
// - No read returns a secret value. Values enter by `spec.value` or `spec.valueBase64` and are sealed within the write. They
//   leave only by `openSet`, for a bundle that is sealed to an agent, and by `revealSecret` and `revealSet`, which audit
//   each value.
// - Errors are StagelyError, with all faults at once.
import type { ChainPoint } from '../audit/texts.ts'
import { copyJson } from '../kernel/copy-json.ts'
import { keyOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { ofKind, type ObjectOf } from '../kinds/typed.ts'
import {
  auditDeliveries,
  createDeliveries,
  deliveriesOf,
  type DeliveredRevision,
  type OpenSet,
} from './history/deliveries.ts'
import type { Actor, Delivery } from './core/actor.ts'
import type { Guesses } from './core/guesses.ts'
import type { StoreHealth } from './core/health.ts'
import type {
  DeletedSecret,
  RevealedOne,
  RevealedSet,
  RevisionInfo,
  SecretVersion,
  ShownVersion,
} from './core/history.ts'
import type {
  ChangeEvent,
  ListedObject,
  ListOptions,
  ObjectList,
  ObjectPage,
  PageOptions,
  StoredObject,
} from './core/objects.ts'
import type { Reader } from './core/reader.ts'
import type { Seen } from '../secrets/set-entry.ts'
import type { OpenedEntry, ProjectRevisions, ProjectSummary, SecretSet } from './core/sets.ts'
import type { WriteOptions } from './core/write-options.ts'
import type { AuditEntry, WriteSession } from './core/write-session.ts'
import { projectFingerprints, type ProjectFingerprints } from './history/fingerprints.ts'
import { revealSecret, revealSet } from './history/reveal.ts'
import { plainVersions } from './history/plain-versions.ts'
import {
  changedVersions,
  deletedSecrets,
  listRevisions,
  versionsOf,
  type ChangedVersion,
} from './history/versions.ts'
import { pageAt, pageNow, refuseBefore } from './objects/pages.ts'
import { headIn, isHead, projectSummaryIn, revisionsIn, rowsOf } from './objects/reads.ts'
import { secretLinks, type SecretLinks } from './objects/secret-links.ts'
import { closeDueRevisions, type OnCloseFault } from './revisions.ts'
import { readSet } from './secrets/set-rows.ts'
import { openSets } from './secrets/sets.ts'
import { namedProjects, term } from './state/rows.ts'
import type { Lookup } from './places/places.ts'
import type { StoreState } from './state/state.ts'
import { startParts, type Fence, type StoreDeps, type StoreParts } from './store-parts.ts'
import { Transaction } from './transaction.ts'
import { checkSets, compact, healthOf } from './upkeep.ts'

export type * from './core/actor.ts'
export type * from './core/health.ts'
export type * from './core/history.ts'
export type * from './core/objects.ts'
export type * from './core/reader.ts'
export type * from './core/sets.ts'
export type * from './core/write-options.ts'
export type { Transaction } from './transaction.ts'

export class Store implements Reader {
  readonly #parts: StoreParts
  readonly #fence: Fence
  readonly #openSet: OpenSet

  private constructor(parts: StoreParts, fence: Fence) {
    this.#parts = parts
    this.#fence = fence
    const { sql, keys, writer } = parts
    this.#openSet = createDeliveries((projectUid, revision, deliveries) =>
      openSets(sql, keys, deliveries, {
        projectUid,
        revision,
        audit: (set) => auditDeliveries(sql, writer, set, deliveries),
      }),
    )
  }

  /** Over a migrated database. */
  static async start(deps: StoreDeps): Promise<Store> {
    return new Store(await startParts(deps), {})
  }

  /** The store for the loops of a leader: writes are refused once the term is over, and reads never ask the database. */
  asLeader(term: number): Store {
    return new Store(this.#parts, { term })
  }

  /** The state of this replica: writes of others may be missing. */
  get state(): StoreState {
    return this.#parts.feed.state
  }

  /** Finds stagelets and projects as they were at the version. Expired where that is no longer known here. */
  finderAt(version: number): Lookup {
    return this.#parts.feed.finderAt(version)
  }

  /** A leader reads the state as it is: a change that arrives later calls its loops again. */
  async #fresh(): Promise<StoreState> {
    if (this.#fence.term === undefined) await this.#parts.fresh()
    return this.state
  }

  async get<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined> {
    const row = await this.getStored(ref)
    return row && ofKind(ref.kind, copyJson(row.object))
  }

  /** Like get(), for an answer. */
  async getStored(ref: ObjectRef): Promise<StoredObject | undefined> {
    return (await this.#fresh()).objects.get(keyOf(ref))
  }

  /** The object with this uid, where it is of this kind; frozen. */
  async getByUid(kind: string, uid: string): Promise<KubeObject | undefined> {
    const rows = (await this.#fresh()).objects.withTerm(term.uid(uid))
    return rows.find(({ object }) => object.kind === kind)?.object
  }

  async list<K extends string>(kind: K, options: ListOptions = {}): Promise<ObjectList<K>> {
    const state = await this.#fresh()
    const items = rowsOf(state, kind, options).map(({ object }) => ofKind(kind, object))
    return { items, resourceVersion: state.rv }
  }

  /** Like list(), with objects that are parsed when they are read. */
  async listRows(kind: string, options: ListOptions = {}): Promise<readonly ListedObject[]> {
    return rowsOf(await this.#fresh(), kind, options)
  }

  /** Projects that StagelySecrets name. They need not exist. */
  async namedProjects(): Promise<readonly ObjectRef[]> {
    return namedProjects((await this.#fresh()).objects)
  }

  /** One page of a list. Expired where `at` is older than the kept changes, or than a requested namespace. */
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

  /** For advice: writes of other replicas may be missing. */
  projectSummary(project: ObjectRef, mostStagelets: number): Promise<ProjectSummary> {
    return Promise.resolve(projectSummaryIn(this.state, project, mostStagelets))
  }

  /**
   * Runs `fn` as one write: all its changes are stored, or none. Other writers wait meanwhile, so that `fn` may await only
   * `tx`, and never the store, which would wait for `fn`. `fn` may run again from its beginning: where a write of another
   * replica came first, or where slow work has to be done before.
   */
  write<T>(actor: Actor, options: WriteOptions, fn: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.writeWithSession(actor, (_, tx) => fn(tx), options)
  }

  /** Like write(), for parts of the store with tables of their own. */
  writeWithSession<T>(
    actor: Actor,
    fn: (session: WriteSession, tx: Transaction) => Promise<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#parts.writer.run(actor, { ...options, ...this.#fence }, (session) =>
      fn(session, new Transaction(session)),
    )
  }

  /** Writes an audit row for an action that is no write. */
  audit(actor: Actor, ref: ObjectRef, entry: AuditEntry): Promise<void> {
    // A client that was refused may hang up at once: the row is written all the same.
    const { hasGone: _, ...author } = actor
    return this.#parts.writer.run(author, {}, (session) => {
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

  /** Opens the values of a set that the stagelet may see, with their references filled in. Audited once for each revision, stagelet, agent and its keys. */
  openSet(projectUid: string, revision: number, delivery: Delivery): Promise<Seen<OpenedEntry>[]> {
    return this.#openSet(projectUid, revision, delivery)
  }

  /** Revisions of a project that agents were sent for these stagelets. */
  deliveries(
    namespace: string,
    projectUid: string,
    stagelets: readonly string[],
  ): Promise<DeliveredRevision[]> {
    return deliveriesOf(this.#parts.sql, namespace, projectUid, stagelets)
  }

  /** Versions that are kept, newest first; none for an unknown secret. */
  versionsOf(secretUid: string): Promise<SecretVersion[]> {
    return versionsOf(this.#parts.sql, secretUid)
  }

  /**
   * Of these versions the values that are plain, by shownVersionId(): 1 MiB at most, and none of a secret that was masked
   * since.
   */
  plainValues(
    projectUid: string,
    versions: readonly ShownVersion[],
  ): Promise<ReadonlyMap<string, string>> {
    return plainVersions(this.#parts.sql, this.#parts.keys, projectUid, versions)
  }

  /** What a secret refers to, and whose values change with it, as far as the actor may know. */
  async linksOf(actor: Actor, secret: KubeObject): Promise<SecretLinks> {
    return secretLinks(await this.#fresh(), this.#parts.keys, actor, secret)
  }

  /** Closed revisions that are kept, newest first. */
  listRevisions(projectUid: string): Promise<RevisionInfo[]> {
    return listRevisions(this.#parts.sql, projectUid)
  }

  /** Versions of a project's secrets that are kept, in order of their keys. */
  changedVersions(projectUid: string): Promise<ChangedVersion[]> {
    return changedVersions(this.#parts.sql, projectUid)
  }

  /** How long a deleted secret can be restored. */
  get deletedMs(): number {
    return this.#parts.retention.deletedMs
  }

  deletedSecrets(projectUid: string): Promise<DeletedSecret[]> {
    return deletedSecrets(this.#parts.sql, projectUid, this.deletedMs)
  }

  /**
   * Opens one value for the actor, audited in the same write: the current value or, as it was written, that of an old
   * version.
   */
  revealSecret(actor: Actor, ref: ObjectRef, what: RevealedOne = {}): Promise<OpenedEntry> {
    return this.#parts.writer.run(actor, this.#fence, (session) => revealSecret(session, ref, what))
  }

  /**
   * Opens the chosen values of a project's head set for the actor. Each value, and each value that it refers to, is audited
   * in the same write.
   */
  revealSet(actor: Actor, project: ObjectRef, what: RevealedSet): Promise<OpenedEntry[]> {
    return this.#parts.writer.run(actor, this.#fence, (session) =>
      revealSet(session, project, what),
    )
  }

  /** Fingerprints of all kept values of a project, for scanners. That somebody asked is audited in the same write. */
  fingerprints(actor: Actor, project: ObjectRef, action: string): Promise<ProjectFingerprints> {
    return this.#parts.writer.run(actor, this.#fence, (session) =>
      projectFingerprints(session, project, action),
    )
  }

  get guesses(): Guesses {
    return this.#parts.guesses
  }

  /**
   * Closes all change sets that are due at `now`. Returns when the next one is due. A project that fails does not keep the
   * others from closing; without `onFault` the first fault is thrown.
   */
  closeDueRevisions(now: number, onFault?: OnCloseFault): Promise<number | undefined> {
    return closeDueRevisions(this.#parts, this.#fence, { now, onFault })
  }

  /**
   * Projects whose newest set does not match its MAC: somebody has changed its rows by SQL. A project whose key does not
   * answer is left out.
   */
  checkSets(): Promise<ObjectRef[]> {
    return checkSets(this.#parts)
  }

  /** How many writes of deposed leaders were refused here. */
  get deposedWrites(): number {
    return this.#parts.writer.deposed
  }

  /** How many writes the database has refused here for a reason of its own, such as a full disk. */
  get refusedWrites(): number {
    return this.#parts.writer.refusals.count
  }

  /** Newest committed resourceVersion. */
  async currentVersion(): Promise<number> {
    return (await this.#fresh()).rv
  }

  /**
   * Changes after the version `after`, in order, and new ones until `signal` aborts. Expired (410) where `after` is older
   * than the kept changes, or than a namespace of `scope`, whose name another namespace may have had before.
   */
  async *watch(
    after: number,
    signal: AbortSignal,
    scope?: ListOptions,
  ): AsyncGenerator<ChangeEvent[]> {
    if (scope !== undefined) await refuseBefore(this.#parts.sql, after, scope)
    yield* this.#parts.feed.watch(after, signal)
  }

  /** Whether the database answers, writes get through, and the key provider works. */
  health(): Promise<StoreHealth> {
    return healthOf(this.#parts)
  }

  /** Drops changes, events and versions past their retention. */
  compact(now: number): Promise<void> {
    return compact(this.#parts, this.#fence, now)
  }

  /** Ends every watch, waits for writes that were begun, and closes the database. */
  async close(): Promise<void> {
    const { writer, soleReplica, feed, keys, keyRing, sql } = this.#parts
    await writer.idle()
    await soleReplica?.release()
    await feed.stop()
    keys.clear()
    keyRing.close()
    await sql.close()
  }
}
