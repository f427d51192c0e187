// One write, on top of the state. Everything that a write does to objects goes through put() and drop():
// they number, keep and announce it. What else it changes it notes in `changes`. Nothing is stored before
// the commit; see writer.ts.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { toTimestamp } from '../kernel/clock.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import type { KeyRing } from '../secrets/key-ring.ts'
import type { SealedValueOpener } from '../secrets/sealed-place.ts'
import type { ProjectKeys } from '../secrets/project-keys.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { noticesOf } from './activity/notices.ts'
import { withoutWaiting } from './keys/without-waiting.ts'
import type { AuditEntry } from './log/audit-rows.ts'
import { Changes } from './log/changes.ts'
import type { Preparations } from './preparations.ts'
import type { ProjectState } from './projects.ts'
import type { Queryable, Sql } from './sql.ts'
import { objectRow, term, type HeadRow, type StoredRow } from './state/rows.ts'
import { Overlay, type View } from './state/state.ts'
import type { Actor, ChangeEvent, ChangeSet } from './store.ts'
import { textOf } from './stored-object.ts'
import type { GivenValue } from './values/policy.ts'
import type { SecretChange } from './values/secret-change.ts'

export type { StoredRow } from './state/rows.ts'
export type { AuditEntry } from './log/audit-rows.ts'

export interface SessionDeps {
  readonly sql: Sql
  readonly provider: KeyRing
  readonly keys: ProjectKeys
  /** Opens `sealedValue`; without it none opens. */
  readonly sealedValues?: SealedValueOpener | undefined
}

/** So long a write holds up the rest of the process. */
const turnMs = 15

/** A write that asks the database: it is done again, in a transaction that holds the counter row. */
class NeedsTransaction extends Error {}

interface Stored {
  readonly type: ChangeEvent['type']
  readonly source: string
  readonly audit: AuditEntry | undefined
  /** Text of what it replaces or removes. */
  readonly before: string | undefined
}

export interface SessionStart {
  readonly view: View
  /** What the writes before it in the same commit have changed. */
  readonly before: Changes
  readonly actor: Actor
  readonly changeSet: ChangeSet | undefined
  readonly note: string | undefined
  readonly epoch: number
  readonly rv: number
  /** ms; one time for the whole write. */
  readonly nowMs: number
  readonly deps: SessionDeps
  readonly preparations: Preparations
  readonly isDry: boolean
  /** Ends the write where nobody waits for it any more. */
  readonly signal: AbortSignal | undefined
  /** Undefined outside of a transaction. */
  readonly tx: Queryable | undefined
}

export class WriteSession {
  readonly actor: Actor
  readonly changeSet: ChangeSet | undefined
  /** Why the write is made. */
  readonly note: string | undefined
  readonly deps: SessionDeps
  readonly nowMs: number
  /** The same, as objects have it. */
  readonly now: string
  readonly epoch: number
  /** What is stored, with all that this write has done. */
  readonly view: Overlay
  readonly changes = new Changes()
  /** What the writes before it in the same commit have changed. */
  readonly before: Changes
  /** Every project that this write has looked at, by its place, as it is after what it did so far. */
  readonly loaded = new Map<string, ProjectState>()
  /** Those of them whose open revision this write is part of. */
  readonly projects = new Map<string, ProjectState>()
  /** What takes too long to be made here. */
  readonly preparations: Preparations
  /** How many RSA keys this write has generated. */
  rsaKeys = 0
  /** How many projects this write has made keys for. */
  newProjects = 0
  /** What secrets were before and after this write. */
  readonly secretChanges: SecretChange[] = []
  /** Values that somebody gives with this write, where a policy asks for it. */
  readonly givenValues: GivenValue[] = []
  /** Secrets (by uid) that this write has made: they had no value before. */
  readonly newSecrets = new Set<string>()
  /** Secrets that this write removed, one by one. */
  readonly removed: KubeObject[] = []
  rv: number
  /** Nothing of it will be stored. */
  readonly isDry: boolean
  /** The write cannot end but in a transaction. */
  needsTransaction = false
  readonly #tx: Queryable | undefined
  readonly #signal: AbortSignal | undefined
  #pausedAt = performance.now()

  constructor(start: SessionStart) {
    this.view = new Overlay(start.view)
    this.before = start.before
    this.rv = start.rv
    this.epoch = start.epoch
    this.nowMs = start.nowMs
    this.now = toTimestamp(start.nowMs)
    this.actor = start.actor
    this.note = start.note
    // Nobody ends, or adds to, what somebody else calls the same.
    const ownName = `${start.actor.id ?? start.actor.source} ${start.changeSet?.id ?? ''}`
    this.changeSet = start.changeSet && { ...start.changeSet, id: ownName }
    this.deps = { ...start.deps, keys: withoutWaiting(start.deps.keys, start.preparations) }
    this.preparations = start.preparations
    this.#tx = start.tx
    this.isDry = start.isDry
    this.#signal = start.signal
  }

  /** For statements of those who keep tables of their own. What the write does besides is stored after them. */
  get tx(): Queryable {
    if (this.#tx !== undefined) return this.#tx
    this.needsTransaction = true
    throw new NeedsTransaction('a write asks the database')
  }

  /** Lets others have their turn where this write takes long. */
  async pause(): Promise<void> {
    if (performance.now() - this.#pausedAt < turnMs) return
    await yieldToOthers()
    this.#signal?.throwIfAborted()
    this.#pausedAt = performance.now()
  }

  fetch(ref: ObjectRef): StoredRow | undefined {
    return this.view.objects.get(keyOf(ref))
  }

  /** Objects with this term, in the order of their names. */
  select(wanted: string): StoredRow[] {
    const rows = this.view.objects.withTerm(wanted)
    return rows.length < 2 ? rows : rows.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** The current version of a secret; undefined where it has no value. */
  head(secretUid: string): SetEntry | undefined {
    return this.view.heads.get(secretUid)?.entry
  }

  headsOf(projectUid: string): HeadRow[] {
    return this.view.heads.withTerm(term.headsOf(projectUid))
  }

  /** Keeps `object` under a new resourceVersion; `previous` is absent for a new one. */
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
    for (const notice of noticesOf(change)) this.changes.tell(notice)
    return row
  }

  /** Removes the object; returns its last state with the resourceVersion of the removal. */
  drop({ uid, object, source, text: before }: StoredRow, audit?: AuditEntry): KubeObject {
    const row = this.#change(object, uid, { type: 'DELETED', source, audit, before })
    this.view.objects.set(row.id, undefined)
    return row.object
  }

  #change(
    object: KubeObject,
    uid: string,
    { type, source, audit, before: previous }: Stored,
  ): StoredRow {
    const ref = refOf(object)
    const rv = ++this.rv
    const metadata = { ...object.metadata, resourceVersion: String(rv) }
    const row = objectRow(ref, { uid, rv, source, text: textOf({ ...object, metadata }) })
    this.changes.objects.push({ type, ref, row, previous, at: this.nowMs })
    if (audit !== undefined) this.audit(ref, audit)
    return row
  }

  /** An audit row of its own, for actions that are not a write of one object. */
  audit(ref: ObjectRef, entry: AuditEntry, actor = this.actor): void {
    this.changes.note(actor, this.nowMs, ref, entry)
  }
}
