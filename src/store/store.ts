// The store: one system of record, two doors. Users write spec, machines write status.
//
// PROMISES
// - Writes are run one after the other on the state in memory, and are stored whole by one commit that
//   swaps the counter row: resourceVersion order equals commit order, and a watcher that saw N has seen all
//   before N.
// - A write that changes nothing keeps its resourceVersion, makes no change-feed row, and is not audited.
// - The audit row is written in the action's own transaction: no audit, no action.
// - No read returns a secret value; values enter by `spec.value`/`spec.valueBase64`, are sealed within
//   the transaction, and leave only by `openSet`, for a bundle that is sealed to an agent, and by
//   `revealSecret` and `revealSet`, audited value by value.
// - Whatever the caller's kind, errors are StagelyError with all faults.
import type { NewCondition } from '../resources/conditions.ts'
import type { KubeObject, ManagedFieldsEntry, ObjectRef } from '../resources/meta.ts'
import type { SetEntry } from '../secrets/visible.ts'
import type { Happening } from './activity/happening.ts'
import type { Actor, Delivery } from './actor.ts'
import type { StagedCredential, StagedPlace } from './staged-values.ts'
import type { WriteOptions } from './write-options.ts'
import type {
  DeletedSecret,
  ProjectRollback,
  RevealedOne,
  RevealedSet,
  RevisionChoice,
  RevisionInfo,
  SecretVersion,
} from './history/shown.ts'

export type * from './actor.ts'
export type * from './history/shown.ts'
export type * from './write-options.ts'

/** What a new secret of a project meets. */
export interface Surroundings {
  /** Stagelets of the project, by name, up to a number. */
  readonly stagelets: readonly KubeObject[]
  /** Secrets of type env that have a value; counted up to two. */
  readonly envSecrets: number
  /** The Project is there, and not only what names it. */
  readonly isDeclared: boolean
}

export interface ListOptions {
  readonly namespace?: string | undefined
  /** Only in these namespaces; of namespaces themselves, only these. Absent: everywhere. */
  readonly within?: readonly string[] | undefined
  /** Only those that name this project of the namespace. Of StagelySecrets and Stagelets. */
  readonly project?: string | undefined
  /** Only StagelySecrets that take their values from stores elsewhere. */
  readonly fromStores?: true
}

export interface ObjectList {
  readonly items: KubeObject[]
  readonly resourceVersion: number
}

export interface PageOptions {
  readonly namespace?: string | undefined
  /** Only in these namespaces; of namespaces themselves, only these. Absent: everywhere. */
  readonly within?: readonly string[] | undefined
  /** The objects as they were at this version; when absent, as they are. */
  readonly at?: number | undefined
  /** Only what comes after this place, in order of namespace and name. */
  readonly after?: { readonly namespace: string; readonly name: string } | undefined
  readonly limit: number
}

/** An object as it is stored. Most answers need only its text; it is parsed when somebody looks into it. */
export interface StoredObject {
  /** JSON, as clients see it; only an Event has its fields in `spec`. */
  readonly text: string
  /** Not to be changed. */
  readonly object: KubeObject
}

/** One of many, of which few are looked into. */
export interface ListedObject extends StoredObject {
  readonly uid: string
  /** Its resourceVersion, as a number. */
  readonly rv: number
}

export interface ObjectPage {
  readonly items: StoredObject[]
  readonly resourceVersion: number
  /** How many more come after the last item. */
  readonly remaining: number
}

export interface ChangeEvent extends StoredObject {
  readonly resourceVersion: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** What the change replaced or removed, for watchers with a selector; undefined for a new object. Not to be changed. */
  readonly previous: KubeObject | undefined
}

export interface EventInput {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Without its key provider the store still reads, from keys in memory, until those are past their time. */
export interface StoreHealth {
  readonly ok: boolean
  readonly failed?: 'database' | 'writes' | 'key-provider'
  readonly reason?: string
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
  /** From then on (ms since the epoch) nothing more is expected of what was written last. */
  readonly quietAt: number
}

export interface Reader {
  get(ref: ObjectRef): Promise<KubeObject | undefined>
  list(kind: string, options?: ListOptions): Promise<ObjectList>
  /** Set of the project at `revision`, or the head (open writes included) for 'head'. Checks the set MAC; InternalError when it does not match. */
  readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet>
  revisionsOf(projectUid: string): Promise<ProjectRevisions>
}

/** A value of a store elsewhere; the audit names all but the value. */
export interface FetchedValue {
  readonly value: Buffer
  readonly store: string
  readonly key: string
  /** In the words of the store. */
  readonly remoteVersion: string
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
  /** Deletes, or sets deletionTimestamp where finalizers are left; of a Project the secrets stay. Returns the last state and whether it is gone. */
  remove(
    ref: ObjectRef,
    preconditions?: { uid?: string; resourceVersion?: string },
  ): Promise<{ object: KubeObject; gone: boolean }>
  /**
   * Removes a Project with all its secrets. They can be restored for their grace time once a Project of this
   * name is there again; with `erase` its keys go at once, and with them every value.
   */
  removeProject(
    ref: ObjectRef,
    options: { readonly erase: boolean },
  ): Promise<{ object: KubeObject; gone: boolean }>
  /** The machines' door: replaces status only. */
  setStatus(object: KubeObject, tracking?: Tracking): Promise<KubeObject>
  /** True when the value that a secret's spec gives is the one stored for it. */
  holdsValue(object: KubeObject): Promise<boolean>
  /** setStatus for just some conditions. */
  setConditions(ref: ObjectRef, conditions: readonly NewCondition[]): Promise<void>
  /** Writes or replaces an internal object (Observation). */
  putInternal(object: KubeObject): Promise<void>
  /** Keeps what happened, along with the changes of objects that the write makes: without any nothing is kept. */
  tell(happening: Happening): Promise<void>
  /** Counts a core/v1 Event: same object, reason and message raise `count` and `lastTimestamp`. */
  recordEvent(event: EventInput): Promise<void>
  /** The same for several, which are looked up at once. */
  recordEvents(events: readonly EventInput[]): Promise<void>
  /** Conflict when the secret's stored version is another (0: none). For compare-and-set. */
  expectVersion(ref: ObjectRef, version: number): Promise<void>
  /**
   * The value of an old version becomes the newest one; scope and place stay as they are. Conflict where
   * another source owns the secret, NotFound for a version that is not kept.
   */
  rollbackSecret(ref: ObjectRef, version: number): Promise<KubeObject>
  /** A new value of a secret whose spec says how one is generated. */
  renewSecret(ref: ObjectRef): Promise<KubeObject>
  /** A value that a Rotation makes, of a secret that says so (valueFrom.rotation). Conflict for others. */
  setOutput(ref: ObjectRef, rotation: KubeObject, value: string): Promise<KubeObject>
  /** Keeps a credential that is under way, sealed; one that is there already stays. */
  stage(project: ObjectRef, place: StagedPlace, credential: StagedCredential): Promise<void>
  /** Drops what is staged of a Rotation. */
  endStaged(rotationUid: string): Promise<void>
  /** Versions of a secret before `version` are dead from now on. Conflict where another one is stored now. */
  revokeVersions(ref: ObjectRef, version: number): Promise<void>
  /** Notes what a machine did that is no write of an object. */
  audit(ref: ObjectRef, action: string, detail: Record<string, unknown>): Promise<void>
  /** A value that was fetched for a secret whose spec names a store. An equal one makes no version. */
  putFetched(ref: ObjectRef, fetched: FetchedValue): Promise<KubeObject>
  /**
   * Makes the project's set what it was: values and places as new versions, deletions, and re-creations
   * under the old ids. All or nothing; Conflict names what another source owns.
   */
  rollbackProject(project: ObjectRef, choice: RevisionChoice): Promise<ProjectRollback>
  /** Brings a deleted secret back under its old id. Invalid when another has its place by now. */
  restoreSecret(project: ObjectRef, secretUid: string): Promise<KubeObject>
  /**
   * Erases a secret, living or deleted: all its versions, out of old revisions too. The audit row keeps
   * the fact. Conflict where another source owns it.
   */
  purgeSecret(project: ObjectRef, secretUid: string): Promise<{ name: string; versions: number }>
  /** Removes a finalizer by the machines' door. */
  removeFinalizer(ref: ObjectRef, finalizer: string): Promise<void>
}

/** `project` is NAMESPACE/NAME. */
export type OnCloseFault = (project: string, error: unknown) => void

export interface Store extends Reader {
  /** For advice to whoever writes a secret: not a snapshot. */
  surroundingsOf(project: ObjectRef, mostStagelets: number): Promise<Surroundings>
  /** As get, for an answer. */
  getStored(ref: ObjectRef): Promise<StoredObject | undefined>
  /** The object with this uid, where it is of this kind. */
  getByUid(kind: string, uid: string): Promise<KubeObject | undefined>
  /** As list; nothing is parsed that nobody looks into. */
  listRows(kind: string, options?: ListOptions): Promise<readonly ListedObject[]>
  /** Projects that StagelySecrets name, whether they exist or not. */
  namedProjects(): Promise<readonly ObjectRef[]>
  /** One page of a list. Expired when `at` is older than what is kept, or than a namespace that is asked for. */
  listPage(kind: string, options: PageOptions): Promise<ObjectPage>
  /**
   * Runs `fn` as one whole: all of it is stored, or nothing. Other writers wait meanwhile, so `fn` awaits
   * nothing but `tx`; above all not the store itself, which would wait for `fn`. It may be run again, from
   * the beginning, where another replica's write came first, or a value has to be read first.
   */
  write<T>(actor: Actor, options: WriteOptions, fn: (tx: Transaction) => Promise<T>): Promise<T>
  /** Opens every value of a set that the stagelet may see, for sealing into a bundle: references are filled in. Audited once per (revision, stagelet, agent) by the caller's `reason`. */
  openSet(projectUid: string, revision: number, delivery: Delivery): Promise<OpenedEntry[]>
  /** Versions that are kept, newest first; none for an unknown secret. */
  versionsOf(secretUid: string): Promise<SecretVersion[]>
  /** Closed revisions that are kept, newest first. */
  listRevisions(projectUid: string): Promise<RevisionInfo[]>
  deletedSecrets(projectUid: string): Promise<DeletedSecret[]>
  /** How long a deleted secret can be restored. */
  readonly deletedMs: number
  /**
   * Opens one value for the actor, the current one or, as it was written, that of `version`; audited in
   * the same transaction.
   */
  revealSecret(actor: Actor, ref: ObjectRef, what?: RevealedOne): Promise<OpenedEntry>
  /**
   * Opens the chosen values of a project's head set for the actor. Each is audited in the same
   * transaction, and each that another one refers to.
   */
  revealSet(actor: Actor, project: ObjectRef, what: RevealedSet): Promise<OpenedEntry[]>
  /**
   * Closes every change set that is due at `now`; returns when the next is due, of those that are not
   * yet. A project that fails keeps no other from closing; without `onFault` the first fault is thrown.
   */
  closeDueRevisions(now: number, onFault?: OnCloseFault): Promise<number | undefined>
  /** Newest committed resourceVersion. */
  currentVersion(): Promise<number>
  /**
   * Changes after `after`, in order, then live ones until `signal` aborts. Expired (410) when `after`
   * is older than what is kept, or than a namespace of `scope`: what had its name before is not
   * theirs who follow it now. `onReady` callers see every change exactly once.
   */
  watch(after: number, signal: AbortSignal, scope?: ListOptions): AsyncIterable<ChangeEvent[]>
  /**
   * Projects whose newest set, as the tables hold it, is not what its MAC is over: somebody has changed its rows.
   * One whose key does not answer is passed over.
   */
  checkSets(): Promise<ObjectRef[]>
  /** Whether the database answers and the key provider works; else what failed, and why. */
  health(): Promise<StoreHealth>
  /** Drops changes, events and versions past their retention. */
  compact(now: number): Promise<void>
  close(): Promise<void>
}
