// The store: one system of record, two doors. Users write spec, machines write status.
//
// PROMISES
// - Every write runs in one transaction that first locks the counter row: writers are serialized,
//   so resourceVersion order equals commit order and a watcher that saw N has seen all before N.
// - A write that changes nothing keeps its resourceVersion, makes no change-feed row, and is not audited.
// - The audit row is written in the action's own transaction: no audit, no action.
// - No read returns a secret value; values enter by `spec.value`/`spec.valueBase64`, are sealed within
//   the transaction, and leave only by `openSet`, for a bundle that is sealed to an agent.
// - Whatever the caller's kind, errors are StagelyError with all faults.
import type { NewCondition } from '../resources/conditions.ts'
import type { KubeObject, ManagedFieldsEntry, ObjectRef } from '../resources/meta.ts'
import type { SetEntry } from '../secrets/visible.ts'

/** Who acts, for audit and ownership. `source` is `api` or `folder:<path>`; machines use `system`. */
export interface Actor {
  readonly name: string
  readonly source: string
  /** Id of the user, or of the machine's token; absent for the controller itself. */
  readonly id?: string
  /** Where the request came from: an IP address. */
  readonly address?: string
  /** Ties an audit row to its request, its answer and its log line. */
  readonly requestId?: string
}

export interface ListOptions {
  readonly namespace?: string
}

export interface ObjectList {
  readonly items: KubeObject[]
  readonly resourceVersion: number
}

export interface PageOptions {
  readonly namespace?: string | undefined
  /** The objects as they were at this version; when absent, as they are. */
  readonly at?: number | undefined
  /** Only what comes after this place, in order of namespace and name. */
  readonly after?: { readonly namespace: string; readonly name: string } | undefined
  readonly limit: number
}

export interface ObjectPage extends ObjectList {
  /** How many more come after the last item. */
  readonly remaining: number
}

export interface WriteOptions {
  /** Everything is checked and computed, nothing is stored. */
  readonly dryRun?: boolean
  /** Change set that this write belongs to; see ChangeSet. */
  readonly changeSet?: ChangeSet
}

/**
 * How a write takes part in a change set. Without one, a revision closes 300 ms after the last
 * write of its project, 2 s after the first at most. With `id` it stays open for the set's next
 * write (5 s, 60 s in all) until a write says `last`, which closes at once every project of the set.
 */
export interface ChangeSet {
  readonly id: string
  readonly last: boolean
}

export interface ChangeEvent {
  readonly resourceVersion: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
  /** Labels before the change, for watchers with a label selector. */
  readonly previousLabels: Record<string, string> | undefined
}

export interface EventInput {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** The closed or open set of a project at one revision. */
export interface SecretSet {
  readonly projectUid: string
  readonly epoch: number
  readonly revision: number
  readonly entries: readonly SetEntry[]
}

export interface OpenedEntry extends SetEntry {
  readonly value: Buffer
}

export interface ProjectRevisions {
  readonly epoch: number
  /** Newest closed revision; 0 before the first. */
  readonly closed: number
  /** When the open change set must close (ms since the epoch); undefined when nothing is pending. */
  readonly closesAt: number | undefined
}

export interface Reader {
  get(ref: ObjectRef): Promise<KubeObject | undefined>
  list(kind: string, options?: ListOptions): Promise<ObjectList>
  /** Set of the project at `revision`, or the head (open writes included) for 'head'. Checks the set MAC; InternalError when it does not match. */
  readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet>
  revisionsOf(projectUid: string): Promise<ProjectRevisions>
}

/** What an API says beside the object that it writes. */
export interface Tracking {
  /** `metadata.managedFields` from now on; when absent, what is stored stays. */
  readonly managedFields?: readonly ManagedFieldsEntry[]
}

export interface Transaction extends Reader {
  /** Creates by the user's door. Defaults, admission, sealing, uniqueness. AlreadyExists, Invalid. */
  create(object: KubeObject, tracking?: Tracking): Promise<KubeObject>
  /**
   * Replaces metadata (labels, annotations, finalizers) and spec by the user's door; status is ignored.
   * `metadata.resourceVersion`, where given, must be current (Conflict). The last finalizer gone and
   * deletionTimestamp set: the object goes.
   */
  update(object: KubeObject, tracking?: Tracking): Promise<KubeObject>
  /** Deletes, or sets deletionTimestamp where finalizers are left. Returns the last state and whether it is gone. */
  remove(
    ref: ObjectRef,
    preconditions?: { uid?: string; resourceVersion?: string },
  ): Promise<{ object: KubeObject; gone: boolean }>
  /** The machines' door: replaces status only. */
  setStatus(object: KubeObject, tracking?: Tracking): Promise<KubeObject>
  /** True when the value that a secret's spec gives is the one stored for it. */
  holdsValue(object: KubeObject): Promise<boolean>
  /** setStatus for just some conditions. */
  setConditions(ref: ObjectRef, conditions: readonly NewCondition[]): Promise<void>
  /** Writes or replaces an internal object (Observation). */
  putInternal(object: KubeObject): Promise<void>
  /** Counts a core/v1 Event: same object, reason and message raise `count` and `lastTimestamp`. */
  recordEvent(event: EventInput): Promise<void>
  /** Removes a finalizer by the machines' door. */
  removeFinalizer(ref: ObjectRef, finalizer: string): Promise<void>
}

export interface Store extends Reader {
  /** One page of a list. Expired when `at` is older than what is kept. */
  listPage(kind: string, options: PageOptions): Promise<ObjectPage>
  /**
   * Runs `fn` as one whole: all of it is stored, or nothing. All other writers wait meanwhile, so
   * `fn` awaits nothing but `tx`; above all not the store itself, which would wait for `fn`.
   */
  write<T>(actor: Actor, options: WriteOptions, fn: (tx: Transaction) => Promise<T>): Promise<T>
  /** Opens every value of a set, for sealing into a bundle. Audited once per (revision, stagelet, agent) by the caller's `reason`. */
  openSet(
    projectUid: string,
    revision: number,
    delivery: { stagelet: string; agent: string },
  ): Promise<OpenedEntry[]>
  /** Closes every change set that is due at `now`; returns when the next is due. */
  closeDueRevisions(now: number): Promise<number | undefined>
  /** Newest committed resourceVersion. */
  currentVersion(): Promise<number>
  /**
   * Changes after `after`, in order, then live ones until `signal` aborts. Expired (410) when `after`
   * is older than what is kept. `onReady` callers see every change exactly once.
   */
  watch(after: number, signal: AbortSignal): AsyncIterable<ChangeEvent[]>
  /** True when the database answers and the key provider works; else the reason. */
  health(): Promise<{ ok: boolean; reason?: string }>
  /** Drops changes, events and versions past their retention. */
  compact(now: number): Promise<void>
  close(): Promise<void>
}
