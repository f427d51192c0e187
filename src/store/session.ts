// One write inside a database transaction that holds the counter row. Everything that a write
// does to objects goes through put() and drop(): they number, store and announce it.
import { toTimestamp } from '../kernel/clock.ts'
import { storableJson } from '../kernel/storable.ts'
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import type { KeyRing } from '../secrets/key-ring.ts'
import type { SealedValueOpener } from '../secrets/sealed-place.ts'
import type { ProjectKeys } from '../secrets/project-keys.ts'
import { changeEvent } from './change-event.ts'
import { withoutWaiting } from './keys/without-waiting.ts'
import type { PendingProjects } from './pending-projects.ts'
import type { Preparations } from './preparations.ts'
import type { HeadCache, ProjectState } from './projects.ts'
import { afterPuts, mayWait, PutBuffer } from './put-buffer.ts'
import type { Queryable } from './sql.ts'
import type { Actor, ChangeEvent, ChangeSet } from './store.ts'
import { SessionReads, type StoredRow } from './session-reads.ts'
export { byName, type StoredRow } from './session-reads.ts'
import { textOf } from './stored-object.ts'
import type { Touched } from './values/touched.ts'

/**
 * What the audit log says of an action. Never a value, and in `detail` nothing that names a person
 * but by id: erasing a person reaches the actor, and the name of a User that a row is about.
 */
export interface AuditEntry {
  readonly action: string
  readonly detail?: Record<string, unknown>
  /** `success` where not said. */
  readonly result?: 'success' | 'denied'
}

export interface SessionDeps {
  readonly provider: KeyRing
  readonly keys: ProjectKeys
  readonly heads: HeadCache
  /** Opens `sealedValue`; without it none opens. */
  readonly sealedValues?: SealedValueOpener | undefined
}

// The subselect sees the object as it was before the statement: that is what lists in pages need.
const putSql = `
WITH stored AS (
  INSERT INTO objects (uid, kind, namespace, name, rv, source, body)
  VALUES ($1, $2, $3, $4, $5, $6, $7::json)
  ON CONFLICT (uid) DO UPDATE SET rv = excluded.rv, source = excluded.source, body = excluded.body
), changed AS (
  INSERT INTO changes (rv, type, kind, namespace, name, body, created_at, term, previous)
  VALUES ($5, $8, $2, $3, $4, $7::json, $9, $18, (SELECT body FROM objects WHERE uid = $1))
)
INSERT INTO audit (at, kind, namespace, name, actor, source, actor_id, address, request_id, action, detail, result)
SELECT to_timestamp($9::float8 / 1000), $2, $3, $4, $10, $11, $12, $13, $14, $15, $16::json, $17
WHERE $15::text IS NOT NULL`

const dropSql = `
WITH dropped AS (
  DELETE FROM objects WHERE uid = $1
), changed AS (
  INSERT INTO changes (rv, type, kind, namespace, name, body, created_at, term, previous)
  VALUES ($5, 'DELETED', $2, $3, $4, $6::json, $7, $16, (SELECT body FROM objects WHERE uid = $1))
)
INSERT INTO audit (at, kind, namespace, name, actor, source, actor_id, address, request_id, action, detail, result)
SELECT to_timestamp($7::float8 / 1000), $2, $3, $4, $8, $9, $10, $11, $12, $13, $14::json, $15
WHERE $13::text IS NOT NULL`

const auditSql = `
INSERT INTO audit (at, kind, namespace, name, actor, source, actor_id, address, request_id, action, detail, result)
SELECT to_timestamp($1::float8 / 1000), r.kind, r.namespace, r.name, $2, $3, $4, $5, $6, r.action, r.detail::json, r.result
FROM unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
  AS r (kind, namespace, name, action, detail, result)`

/** Bounds what waits for its answer while a large write goes on. */
const sentAtMost = 256

const detailText = (entry: AuditEntry | undefined): string | null =>
  entry?.detail === undefined ? null : storableJson(JSON.stringify(entry.detail))

export class WriteSession extends SessionReads {
  readonly #tx: Queryable
  readonly actor: Actor
  readonly changeSet: ChangeSet | undefined
  /** Of the leader that writes; undefined for anybody else. */
  readonly term: number | undefined
  readonly deps: SessionDeps
  /** Milliseconds; one time for the whole write. */
  readonly nowMs: number
  readonly epoch: number
  readonly events: ChangeEvent[] = []
  /** Every project that this write has looked at, by its place, as it is after what it did so far. */
  readonly loaded = new Map<string, ProjectState>()
  /** Those of them whose open revision this write is part of. */
  readonly projects = new Map<string, ProjectState>()
  /** Projects that this write deleted. */
  readonly destroyed = new Set<string>()
  /** Projects that earlier writes of this transaction changed. */
  readonly pending: PendingProjects
  /** What takes too long to be made here. */
  readonly preparations: Preparations
  /** Projects (by uid) whose data keys this write replaced. */
  readonly rekeyed = new Set<string>()
  /** How many RSA keys this write has generated. */
  rsaKeys = 0
  /** How many projects this write has made keys for. */
  newProjects = 0
  /** What secrets were before and after this write. */
  readonly touched: Touched[] = []
  /** Secrets that this write removed, one by one. */
  readonly removed: KubeObject[] = []
  rv: number
  /** The write has audit rows, which wait for the linker. */
  audited = false
  /** The object being stored, for errors of the database that name none. */
  writing: KubeObject | undefined
  /** Statements that are on their way, each with the object that it stores. */
  #sent: { readonly done: Promise<unknown>; readonly object: KubeObject | undefined }[] = []
  /** What put() has not sent yet; every other statement sends it first. */
  readonly #puts = new PutBuffer()

  constructor(
    tx: Queryable,
    start: { rv: number; epoch: number; nowMs: number },
    actor: Actor,
    more: {
      changeSet: ChangeSet | undefined
      term?: number | undefined
      deps: SessionDeps
      pending: PendingProjects
      preparations: Preparations
      ahead?: SessionReads | undefined
    },
  ) {
    const sendPuts = (): void => {
      this.flush()
    }
    super(afterPuts(tx, sendPuts), more.ahead)
    this.#tx = tx
    this.rv = start.rv
    this.epoch = start.epoch
    this.nowMs = start.nowMs
    this.actor = actor
    // Nobody ends, or adds to, what somebody else calls the same.
    const ownName = `${actor.id ?? actor.source} ${more.changeSet?.id ?? ''}`
    this.changeSet = more.changeSet && { ...more.changeSet, id: ownName }
    this.term = more.term
    this.deps = { ...more.deps, keys: withoutWaiting(more.deps.keys, more.preparations) }
    this.pending = more.pending
    this.preparations = more.preparations
  }

  get now(): string {
    return toTimestamp(this.nowMs)
  }

  /**
   * Sends a statement whose rows nobody needs, and does not wait for it: all run in order. settled()
   * tells how they ended.
   */
  async send(text: string, params: readonly unknown[], object?: KubeObject): Promise<void> {
    if (this.#sent.length >= sentAtMost) await this.settled()
    this.flush()
    this.#send(text, params, object)
  }

  #send(text: string, params: readonly unknown[], object: KubeObject | undefined): void {
    this.forgetAnswers()
    const done = this.#tx.query(text, params)
    done.catch(() => undefined)
    this.#sent.push({ done, object })
  }

  /** Sends what put() has not sent yet, and does not wait for it. */
  flush(): void {
    const statement = this.#puts.take(this.nowMs, this.term ?? null)
    if (statement !== undefined) this.#send(...statement, undefined)
  }

  /** Throws what the first of the sent statements failed with; later ones only say that the transaction is lost. */
  async settled(): Promise<void> {
    this.flush()
    for (const { done, object } of this.#sent) {
      this.writing = object
      await done
    }
    this.#sent = []
  }

  /** The write has failed: what it did not send yet is of no use, and would only fail as well. */
  abandon(): void {
    this.#puts.clear()
  }

  /** Stores `object` under a new resourceVersion; `previous` is absent for a new one. */
  async put(
    object: KubeObject,
    source: string,
    previous: StoredRow | undefined,
    audit?: AuditEntry,
  ): Promise<StoredRow> {
    const ref = refOf(object)
    const rv = ++this.rv
    const numbered: KubeObject = {
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(rv) },
    }
    const type: ChangeEvent['type'] = previous === undefined ? 'ADDED' : 'MODIFIED'
    const uid = object.metadata.uid ?? ''
    const text = textOf(numbered)
    const params = [
      uid,
      ref.kind,
      ref.namespace,
      ref.name,
      rv,
      source,
      text,
      type,
      this.nowMs,
      ...this.#auditParams(audit),
      this.term ?? null,
    ]
    if (audit === undefined && mayWait(object, type)) {
      const waiting = { ...ref, uid, rv, source, body: text, type }
      if (!this.#puts.takes(waiting)) this.flush()
      this.forgetAnswers()
      this.#puts.add(waiting)
    } else await this.send(putSql, params, numbered)
    const row = { uid, rv, source, text, object: numbered }
    this.note(ref, row)
    const change = { resourceVersion: rv, type, text, object: numbered, previous: previous?.text }
    this.events.push(changeEvent(change))
    return row
  }

  /** Removes the object; returns its last state with the resourceVersion of the removal. */
  async drop(row: StoredRow, audit?: AuditEntry): Promise<KubeObject> {
    const ref = refOf(row.object)
    const rv = ++this.rv
    const last: KubeObject = {
      ...row.object,
      metadata: { ...row.object.metadata, resourceVersion: String(rv) },
    }
    const text = textOf(last)
    await this.send(dropSql, [
      row.uid,
      ref.kind,
      ref.namespace,
      ref.name,
      rv,
      text,
      this.nowMs,
      ...this.#auditParams(audit),
      this.term ?? null,
    ])
    this.note(ref, undefined)
    const change = { resourceVersion: rv, type: 'DELETED' as const, text, object: last }
    this.events.push(changeEvent({ ...change, previous: row.text }))
    return last
  }

  /** An audit row of its own, for actions that are not a write of one object. */
  audit(ref: ObjectRef, entry: AuditEntry): Promise<void> {
    return this.auditAll([{ ref, entry }])
  }

  /** Several of them in one statement. */
  async auditAll(rows: readonly { ref: ObjectRef; entry: AuditEntry }[]): Promise<void> {
    if (rows.length === 0) return
    this.audited = true
    await this.tx.query(auditSql, [
      this.nowMs,
      ...this.#actorParams(),
      rows.map(({ ref }) => ref.kind),
      rows.map(({ ref }) => ref.namespace),
      rows.map(({ ref }) => ref.name),
      rows.map(({ entry }) => entry.action),
      rows.map(({ entry }) => detailText(entry)),
      rows.map(({ entry }) => entry.result ?? 'success'),
    ])
  }

  #actorParams(): unknown[] {
    const { name, source, id, address, requestId } = this.actor
    return [name, source, id ?? null, address ?? null, requestId ?? null]
  }

  #auditParams(entry: AuditEntry | undefined): unknown[] {
    if (entry !== undefined) this.audited = true
    const { action = null, result = 'success' } = entry ?? {}
    return [...this.#actorParams(), action, detailText(entry), result]
  }
}
