// What one write sees and changes. Every change of an object goes through put() and drop(), which number, keep and announce
// it. Nothing is stored before the commit: see log/writer.ts.
import { toTimestamp, type Clock } from '../../kernel/clock.ts'
import { nextTurn } from '../../kernel/async/event-loop.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import type { SealedValueOpener } from '../../secrets/sealed-place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import { objectRow, term, type HeadRow, type StoredRow } from '../state/rows.ts'
import { Overlay, type View } from '../state/state.ts'
import { activityOf } from './activity-of-change.ts'
import { ownPrefix, type Actor } from './actor.ts'
import type { AuditEntry } from './audit-entry.ts'
import { Changes } from './changes.ts'
import { deferredKeys, type DeferredWork } from './deferred-work.ts'
import { objectNotFound } from './errors.ts'
import type { Guesses } from './guesses.ts'
import type { ChangeEvent } from './objects.ts'
import type {
  LayoutChange,
  NewValue,
  ProjectState,
  RolledBackOutput,
  SecretChange,
  StaleReferences,
} from './project-state.ts'
import { serializeObject } from './stored-object.ts'
import type { ChangeSet, WriteOptions } from './write-options.ts'

export type { StoredRow } from '../state/rows.ts'
export type { AuditEntry } from './audit-entry.ts'

export interface WriteSessionDeps {
  readonly sql: Sql
  readonly clock: Clock
  readonly provider: KeyRing
  readonly keys: ProjectKeys
  /** Opens `sealedValue`; without it none opens. */
  readonly sealedValues?: SealedValueOpener | undefined
  /** Notifiers name addresses of these domains alone; absent: any. */
  readonly mailDomains?: readonly string[] | undefined
  readonly guesses: Guesses
}

/** What a write begins with. */
interface WriteStart {
  readonly actor: Actor
  readonly options: WriteOptions
  readonly deferred: DeferredWork
  /** The writes before it in the same commit. */
  readonly earlier: {
    readonly overlay: Overlay
    readonly changes: Changes
    readonly rv: number
    readonly epoch: number
  }
  /** Undefined outside of a transaction. */
  readonly tx: Queryable | undefined
}

/** A write that runs for longer lets the event loop go on. */
const blockMs = 15

interface ChangeToStore {
  readonly type: ChangeEvent['type']
  readonly source: string
  readonly audit: AuditEntry | undefined
  /** Text of the object that the change replaces or removes. */
  readonly before: string | undefined
}

export class WriteSession {
  readonly actor: Actor
  readonly changeSet: ChangeSet | undefined
  /** Why the write is made. */
  readonly note: string | undefined
  readonly deps: WriteSessionDeps
  /** ms; one time for the whole write. */
  readonly nowMs: number
  /** The same time, as objects have it. */
  readonly now: string
  readonly epoch: number
  /** The stored state, with the changes of this write. */
  readonly view: Overlay
  /** The state without the changes of this write. */
  readonly earlier: View
  readonly changes = new Changes()
  /** Changes of earlier writes in the same commit. */
  readonly before: Changes
  /** Projects that this write has read, by place, with its changes. */
  readonly loaded = new Map<string, ProjectState>()
  /** Projects whose secrets this write changes, by place. The write belongs to the open revision of each of them. */
  readonly projects = new Map<string, ProjectState>()
  readonly deferred: DeferredWork
  /** How many RSA keys this write has generated. */
  rsaKeys = 0
  /** Uids of the secrets whose values the write has drawn by chance. */
  readonly drawn = new Set<string>()
  /** Templates that the write gives, which wait for others. */
  readonly templates: { readonly project: ProjectState; readonly digest: string }[] = []
  /** Uids of the secrets whose waiting templates the write has made values. */
  readonly completed = new Set<string>()
  /** How many projects this write has made keys for. */
  newProjects = 0
  /** Secrets as they were before this write and as they are after it. */
  readonly secretChanges: SecretChange[] = []
  readonly staleReferences: StaleReferences[] = []
  /** Objects whose names of environments are to be judged at the end: a Project as it was before, where there was one. */
  readonly environmentUses = new Map<string, { ref: ObjectRef; before: KubeObject | undefined }>()
  /** Stagelets that see the secrets of another environment after this write. */
  readonly layoutChanges: LayoutChange[] = []
  /** Values that the caller sets in projects that enforce a policy. */
  readonly newValues: NewValue[] = []
  readonly rolledBack: RolledBackOutput[] = []
  /** Uids of secrets that this write has made: they had no value before. */
  readonly newSecrets = new Set<string>()
  /** Guarded secrets of whose values the answer may tell, by a grant that runs; undefined: nobody has asked yet. */
  learnable: ReadonlySet<string> | undefined
  /** Secrets that this write has removed, one by one. */
  readonly removed: KubeObject[] = []
  rv: number
  /** Nothing of the write will be stored. */
  readonly isDry: boolean
  readonly #tx: Queryable | undefined
  /** Aborts when nobody waits for the write any more. */
  readonly #signal: AbortSignal | undefined
  #pausedAt = performance.now()

  constructor(deps: WriteSessionDeps, { actor, options, deferred, earlier, tx }: WriteStart) {
    const { changeSet, note, dryRun = false, review } = options
    this.view = new Overlay(earlier.overlay)
    this.earlier = earlier.overlay
    this.before = earlier.changes
    this.rv = earlier.rv
    this.epoch = earlier.epoch
    this.nowMs = deps.clock.now()
    this.now = toTimestamp(this.nowMs)
    this.actor = actor
    this.note = note
    // Two actors may use the same name for their change sets.
    const ownName = `${ownPrefix(actor)}${changeSet?.id ?? ''}`
    this.changeSet = changeSet && { ...changeSet, id: ownName }
    this.deps = { ...deps, keys: deferredKeys(deps.keys, deferred) }
    this.deferred = deferred
    this.#tx = tx
    this.isDry = dryRun
    this.#signal = review?.signal
  }

  /** For statements over tables that are not in the state. They come before the commit's own. */
  get tx(): Queryable {
    return this.#tx ?? this.deferred.needTransaction()
  }

  /** Lets the event loop go on where this write takes long. */
  async pause(): Promise<void> {
    if (performance.now() - this.#pausedAt < blockMs) return
    await nextTurn()
    this.#signal?.throwIfAborted()
    this.#pausedAt = performance.now()
  }

  fetch(ref: ObjectRef): StoredRow | undefined {
    return this.view.objects.get(keyOf(ref))
  }

  /** NotFound. */
  require(ref: ObjectRef): StoredRow {
    const row = this.fetch(ref)
    if (row === undefined) throw objectNotFound(ref)
    return row
  }

  /** Objects with this term of the index, in the order of their ids. */
  select(wanted: string): StoredRow[] {
    const rows = this.view.objects.withTerm(wanted)
    return rows.length < 2 ? rows : rows.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** The current version of a secret; undefined where it has no value. */
  head(secretUid: string): ProjectEntry | undefined {
    return this.view.heads.get(secretUid)?.entry
  }

  headsOf(projectUid: string): HeadRow[] {
    return this.view.heads.withTerm(term.headsOf(projectUid))
  }

  /** Stores the object under a new resourceVersion. `previous` is undefined for a new object. */
  put(
    object: KubeObject,
    source: string,
    previous: StoredRow | undefined,
    audit?: AuditEntry,
  ): StoredRow {
    const type: ChangeEvent['type'] = previous === undefined ? 'ADDED' : 'MODIFIED'
    const before = previous?.text
    const row = this.#change(object, object.metadata.uid ?? '', { type, source, audit, before })
    this.view.objects.set(row.id, row)
    const change = { before: previous?.object, after: object, by: this.actor.name, at: this.nowMs }
    for (const entry of activityOf(change)) this.changes.recordActivity(entry)
    return row
  }

  /** Removes the object. Returns its last state, with the resourceVersion of the removal. */
  drop({ uid, object, source, text: before }: StoredRow, audit?: AuditEntry): KubeObject {
    const row = this.#change(object, uid, { type: 'DELETED', source, audit, before })
    this.view.objects.set(row.id, undefined)
    return row.object
  }

  #change(
    object: KubeObject,
    uid: string,
    { type, source, audit, before: previous }: ChangeToStore,
  ): StoredRow {
    const ref = refOf(object)
    const rv = ++this.rv
    const metadata = { ...object.metadata, resourceVersion: String(rv) }
    const stored = serializeObject({ ...object, metadata })
    const row = objectRow(ref, { uid, rv, source, text: stored.text }, stored.object)
    this.changes.objects.push({ type, ref, row, previous, at: this.nowMs })
    if (audit !== undefined) this.audit(ref, audit)
    return row
  }

  /** Adds an audit row, for an action that is not a write of one object. */
  audit(ref: ObjectRef, entry: AuditEntry, actor = this.actor): void {
    this.changes.note(actor, this.nowMs, ref, entry)
  }
}
