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
import type { NewCondition } from '../resources/conditions.ts'
import type { KubeObject, ManagedFieldsEntry, ObjectRef } from '../resources/meta.ts'
import type { ObjectOf } from '../resources/typed.ts'
import type { SetEntry } from '../secrets/visible.ts'
import type { Happening } from './core/activity-entry.ts'
import type { Actor, Delivery } from './core/actor.ts'
import type { StagedCredential, StagedPlace } from './secrets/staged-values.ts'
import type { WriteOptions } from './core/write-options.ts'
import type {
  DeletedSecret,
  ProjectRollback,
  RevealedOne,
  RevealedSet,
  RevisionChoice,
  RevisionInfo,
  SecretVersion,
} from './core/history.ts'

export type * from './core/actor.ts'
export type * from './core/history.ts'
export type * from './core/write-options.ts'

/** Facts about a project for advice to the writer of a secret. */
export interface ProjectSummary {
  /** The first stagelets of the project, ordered by name. */
  readonly stagelets: readonly KubeObject[]
  /** Number of secrets of type env that have a value, 2 at most. */
  readonly envSecrets: number
  /** True where the Project object exists. */
  readonly isDeclared: boolean
  /** The secrets with this key that have a value, as they are when it is called. */
  readonly withKey: (key: string) => readonly Pick<SetEntry, 'secretId' | 'scope' | 'stagelet'>[]
}

export interface ListOptions {
  readonly namespace?: string | undefined
  /** Only in these namespaces; of namespaces themselves, only these. Absent: everywhere. */
  readonly within?: readonly string[] | undefined
  /** Only objects of this project of the namespace: StagelySecrets, Stagelets, Rotations, or Events about these and the project. */
  readonly project?: string | undefined
  /** Only StagelySecrets that take their values from stores elsewhere. */
  readonly fromStores?: true
}

export interface ObjectList<K extends string = string> {
  readonly items: ObjectOf<K>[]
  readonly resourceVersion: number
}

export interface PageOptions {
  readonly namespace?: string | undefined
  /** Only in these namespaces; of namespaces themselves, only these. Absent: everywhere. */
  readonly within?: readonly string[] | undefined
  /** Only objects of this project of the namespace: StagelySecrets, Stagelets or Rotations. */
  readonly project?: string | undefined
  /** The objects as they were at this version; when absent, as they are. */
  readonly at?: number | undefined
  /** Only what comes after this place, in order of namespace and name. */
  readonly after?: { readonly namespace: string; readonly name: string } | undefined
  readonly limit: number
}

/** A stored object. Most answers need only its text: the object is parsed when it is read. */
export interface StoredObject {
  /** JSON in the form for clients, except for an Event, whose fields are in `spec`. */
  readonly text: string
  /** It must not be changed. */
  readonly object: KubeObject
}

export interface ListedObject extends StoredObject {
  readonly uid: string
  /** Its resourceVersion, as a number. */
  readonly rv: number
}

export interface ObjectPage {
  readonly items: StoredObject[]
  readonly resourceVersion: number
  /** Number of items after the last one. */
  readonly remaining: number
}

export interface ChangeEvent extends StoredObject {
  readonly resourceVersion: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** The object that the change has replaced or removed, for watchers with a selector. It must not be changed. */
  readonly previous: KubeObject | undefined
}

export interface EventInput {
  readonly regarding: KubeObject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** The checks of the store's health, in the order in which they are made. They stop at the first that fails. */
export const storeChecks = ['database', 'writes', 'key-provider'] as const

/** Without its key provider the store still works with the keys in memory, until these expire. */
export interface StoreHealth {
  readonly ok: boolean
  readonly failed?: (typeof storeChecks)[number]
  readonly reason?: string
  /** How much this machine's clock is ahead of the database's, ms; undefined where the database does not answer. */
  readonly clockAheadMs?: number | undefined
}

/** The set of secrets of a project at one revision, which may still be open. */
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
  /** From this time on (ms since the epoch) no more writes are expected that belong together with the last one. */
  readonly quietAt: number
}

export interface Reader {
  /** The object, typed where the kind is a literal. */
  get<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined>
  list<K extends string>(kind: K, options?: ListOptions): Promise<ObjectList<K>>
  /** The set at the revision; 'head' includes open writes. Checks the set MAC: InternalError where it does not match. */
  readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet>
  revisionsOf(projectUid: string): Promise<ProjectRevisions>
}

/** A value of a store elsewhere. The audit row has all fields but the value. */
export interface FetchedValue {
  readonly value: Buffer
  readonly store: string
  readonly key: string
  /** As the store names it. */
  readonly remoteVersion: string
}

/** Options of an API that writes an object. */
export interface Tracking {
  /** The new `metadata.managedFields`; absent: they stay. */
  readonly managedFields?: readonly ManagedFieldsEntry[]
}

export interface Transaction extends Reader {
  /** As get(), but frozen: costs no copy. */
  look<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined>
  /** Creates an object for a user: defaults, admission, sealing, uniqueness. AlreadyExists, Invalid. */
  create(object: KubeObject, tracking?: Tracking): Promise<KubeObject>
  /**
   * Replaces metadata (labels, annotations, finalizers) and spec for a user; status is ignored. Conflict where
   * `metadata.resourceVersion` is given and not current. An object with a deletionTimestamp is removed with its last
   * finalizer.
   */
  update(object: KubeObject, tracking?: Tracking): Promise<KubeObject>
  /** Deletes the object, or sets its deletionTimestamp while it has finalizers. The secrets of a Project stay. Returns the last state. */
  remove(
    ref: ObjectRef,
    preconditions?: { uid?: string; resourceVersion?: string },
  ): Promise<{ object: KubeObject; gone: boolean }>
  /**
   * Removes a Project with all its secrets. A new Project of this name can restore them for their grace time; with `erase`
   * the keys are removed at once, so that no value can be restored.
   */
  removeProject(
    ref: ObjectRef,
    options: { readonly erase: boolean },
  ): Promise<{ object: KubeObject; gone: boolean }>
  /** Replaces the status, for a machine. */
  setStatus(object: KubeObject, tracking?: Tracking): Promise<KubeObject>
  /** True where the value in the secret's spec is the stored one. */
  holdsValue(object: KubeObject): Promise<boolean>
  /** Sets some conditions of the status. */
  setConditions(ref: ObjectRef, conditions: readonly NewCondition[]): Promise<void>
  /** Writes or replaces an internal object (Observation). */
  putInternal(object: KubeObject): Promise<void>
  /** Keeps a happening for people. It is stored only with a change of an object. */
  tell(happening: Happening): Promise<void>
  /** Counts a core/v1 Event: same object, reason and message raise `count` and `lastTimestamp`. */
  recordEvent(event: EventInput): Promise<void>
  recordEvents(events: readonly EventInput[]): Promise<void>
  /** Conflict when the secret's stored version is another (0: none). For compare-and-set. */
  expectVersion(ref: ObjectRef, version: number): Promise<void>
  /**
   * Stores the value of an old version as a new version; scope and place stay. Conflict where another source owns the
   * secret, NotFound for a version that is not kept.
   */
  rollbackSecret(ref: ObjectRef, version: number): Promise<KubeObject>
  /** Generates a new value, as the secret's spec says. */
  renewSecret(ref: ObjectRef): Promise<KubeObject>
  /** Stores a value that the Rotation has made. Conflict where the secret does not name the Rotation (valueFrom.rotation). */
  setOutput(ref: ObjectRef, rotation: KubeObject, value: string): Promise<KubeObject>
  /** Stores the credential of an attempt, sealed. A stored one is kept. */
  stage(project: ObjectRef, place: StagedPlace, credential: StagedCredential): Promise<void>
  /** Drops the stored credentials of a Rotation. */
  endStaged(rotationUid: string): Promise<void>
  /**
   * Marks the versions before `version` as revoked, but for those with its value. Conflict where `version` is not the
   * current one.
   */
  revokeVersions(ref: ObjectRef, version: number): Promise<void>
  /** Audits an action of a machine that is no write of an object. */
  audit(ref: ObjectRef, action: string, detail: Record<string, unknown>): Promise<void>
  /** Stores a value that was fetched for a secret whose spec names a store. An equal value makes no version. */
  putFetched(ref: ObjectRef, fetched: FetchedValue): Promise<KubeObject>
  /**
   * Makes the project's set equal to an old one: old values and places become new versions, new secrets are deleted, and
   * deleted secrets are created again with their ids. All or nothing. Conflict names secrets that another source owns.
   */
  rollbackProject(project: ObjectRef, choice: RevisionChoice): Promise<ProjectRollback>
  /** Restores a deleted secret with its id. Invalid where another secret has its place by now. */
  restoreSecret(project: ObjectRef, secretUid: string): Promise<KubeObject>
  /**
   * Erases a secret or a deleted secret: all its versions, also from old revisions. An audit row tells it. Conflict where
   * another source owns the secret.
   */
  purgeSecret(project: ObjectRef, secretUid: string): Promise<{ name: string; versions: number }>
  /** Removes a finalizer, for a machine. */
  removeFinalizer(ref: ObjectRef, finalizer: string): Promise<void>
}

/** `project` is NAMESPACE/NAME. */
export type OnCloseFault = (project: string, error: unknown) => void

export interface Store extends Reader {
  /** For advice: other replicas' writes may be missing. */
  projectSummary(project: ObjectRef, mostStagelets: number): Promise<ProjectSummary>
  /** Like get(), for an answer. */
  getStored(ref: ObjectRef): Promise<StoredObject | undefined>
  /** The object with this uid, where it is of this kind; frozen. */
  getByUid(kind: string, uid: string): Promise<KubeObject | undefined>
  /** Like list(), with objects that are parsed when they are read. */
  listRows(kind: string, options?: ListOptions): Promise<readonly ListedObject[]>
  /** Projects that StagelySecrets name. They need not exist. */
  namedProjects(): Promise<readonly ObjectRef[]>
  /** One page of a list. Expired where `at` is older than the kept changes, or than a requested namespace. */
  listPage(kind: string, options: PageOptions): Promise<ObjectPage>
  /**
   * Runs `fn` as one write: all its changes are stored, or none. Other writers wait meanwhile, so that `fn` may await only
   * `tx`, and never the store, which would wait for `fn`. `fn` may be run again from its beginning: where a write of
   * another replica came first, or where slow work has to be done before.
   */
  write<T>(actor: Actor, options: WriteOptions, fn: (tx: Transaction) => Promise<T>): Promise<T>
  /** Opens the values of a set that the stagelet may see, with their references filled in. Audited once for each revision, stagelet, agent and its keys. */
  openSet(projectUid: string, revision: number, delivery: Delivery): Promise<OpenedEntry[]>
  /** Versions that are kept, newest first; none for an unknown secret. */
  versionsOf(secretUid: string): Promise<SecretVersion[]>
  /** Closed revisions that are kept, newest first. */
  listRevisions(projectUid: string): Promise<RevisionInfo[]>
  deletedSecrets(projectUid: string): Promise<DeletedSecret[]>
  /** How long a deleted secret can be restored. */
  readonly deletedMs: number
  /**
   * Opens one value for the actor, audited in the same write: the current value or, as it was written, that of an old
   * version.
   */
  revealSecret(actor: Actor, ref: ObjectRef, what?: RevealedOne): Promise<OpenedEntry>
  /**
   * Opens the chosen values of a project's head set for the actor. Each value, and each value that it refers to, is audited
   * in the same write.
   */
  revealSet(actor: Actor, project: ObjectRef, what: RevealedSet): Promise<OpenedEntry[]>
  /**
   * Closes all change sets that are due at `now`. Returns when the next one is due. A project that fails does not keep the
   * others from closing; without `onFault` the first fault is thrown.
   */
  closeDueRevisions(now: number, onFault?: OnCloseFault): Promise<number | undefined>
  /** Newest committed resourceVersion. */
  currentVersion(): Promise<number>
  /**
   * Changes after the version `after`, in order, and new ones until `signal` aborts. Expired (410) where `after` is older
   * than the kept changes, or than a namespace of `scope`, whose name another namespace may have had before.
   */
  watch(after: number, signal: AbortSignal, scope?: ListOptions): AsyncIterable<ChangeEvent[]>
  /**
   * Projects whose newest set does not match its MAC: somebody has changed its rows by SQL. A project whose key does not
   * answer is left out.
   */
  checkSets(): Promise<ObjectRef[]>
  /** Whether the database answers, writes get through, and the key provider works. */
  health(): Promise<StoreHealth>
  /** Drops changes, events and versions past their retention. */
  compact(now: number): Promise<void>
  close(): Promise<void>
}
