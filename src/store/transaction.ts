// Transaction of store.ts over one WriteSession: each call goes to the file that does it.
import { createHash, randomUUID } from 'node:crypto'
import * as z from 'zod'
import { append } from '../kernel/append.ts'
import { withStatusOwner } from '../managed-fields/status.ts'
import { copyJson } from '../kernel/copy-json.ts'
import { defined } from '../kernel/defined.ts'
import { conditionsOf, withCondition, type NewCondition } from '../resources/conditions.ts'
import { eventSpec, type EventSpec } from '../resources/kinds/core.ts'
import { fitTo } from '../resources/validation/fit.ts'
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { stageletStatus } from '../resources/kinds/stagelet.ts'
import { conditionsSchema } from '../resources/kinds/status.ts'
import { ofKind, specOf, type ObjectOf } from '../resources/typed.ts'
import type { Happening } from './core/activity-entry.ts'
import { checkPreconditions } from './objects/admission.ts'
import { sameJson } from '../kernel/same-json.ts'
import { purgeSecret } from './history/purge.ts'
import { putFetched, renewSecret, setOutput } from './history/new-value.ts'
import { restoreSecret, rotationWith } from './history/restore.ts'
import { expectVersion, rollbackProject, rollbackSecret } from './history/rollback.ts'
import { tracked } from './objects/object-metadata.ts'
import { noticesOf } from './objects/notifications.ts'
import { createObject, updateObject } from './objects/objects.ts'
import { revisionsIn, rowsOfKind, rowsOfProject, setAt } from './objects/reads.ts'
import { finishRemoval, removeObject, removeProject } from './objects/removal.ts'
import { holdsValue } from './secrets/find-value.ts'
import type { StoredRow, WriteSession } from './core/write-session.ts'
import { saveProjects } from './secrets/projects.ts'
import {
  dropStaged,
  revokeVersions,
  stageCredential,
  type StagedCredential,
  type StagedPlace,
} from './secrets/staged-values.ts'
import type {
  EventInput,
  FetchedValue,
  ListOptions,
  ObjectList,
  ProjectRevisions,
  ProjectRollback,
  RevisionChoice,
  SecretSet,
  Tracking,
  Transaction,
} from './store.ts'

const component = 'stagely-controller'

/** What follows from reports of agents is cut to its bounds; of other kinds only the texts of conditions. */
const ofOthers = z.looseObject({ conditions: conditionsSchema })
const boundedStatus = ({ kind }: KubeObject): z.ZodType =>
  kind === 'Stagelet' ? stageletStatus : ofOthers

/** Callers may change the objects that they get. */
const copy: (object: KubeObject) => KubeObject = copyJson

/** Equal events have the same name, so that a repeated one is found by its name. */
const refOfEvent = ({ regarding, type, reason, message }: EventInput): ObjectRef => {
  const about = refOf(regarding)
  const what = JSON.stringify([about.kind, regarding.metadata.uid, type, reason, message])
  const hash = createHash('sha256').update(what).digest('hex').slice(0, 16)
  const namespace = about.namespace === '' ? 'default' : about.namespace
  return { kind: 'Event', namespace, name: `${about.name.slice(0, 230)}.${hash}` }
}

export class StoreTransaction implements Transaction {
  readonly #session: WriteSession

  constructor(session: WriteSession) {
    this.#session = session
  }

  async get<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined> {
    await this.#session.pause()
    const row = this.#session.fetch(ref)
    return row && ofKind(ref.kind, copy(row.object))
  }

  async look<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined> {
    await this.#session.pause()
    const row = this.#session.fetch(ref)
    return row && ofKind(ref.kind, row.object)
  }

  async list<K extends string>(
    kind: K,
    { namespace, within, project }: ListOptions = {},
  ): Promise<ObjectList<K>> {
    await this.#session.pause()
    const { view } = this.#session
    const rows =
      project === undefined
        ? rowsOfKind(view, kind, { namespace, within })
        : rowsOfProject(view, kind, { namespace: namespace ?? '', name: project })
    const items: ObjectOf<K>[] = []
    for (const { object } of rows) {
      items.push(ofKind(kind, copy(object)))
      await this.#session.pause()
    }
    return { items, resourceVersion: this.#session.rv }
  }

  readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet> {
    return setAt(this.#session, projectUid, revision)
  }

  async revisionsOf(projectUid: string): Promise<ProjectRevisions> {
    await this.#session.pause()
    saveProjects(this.#session)
    return revisionsIn(this.#session.view, this.#session.epoch, projectUid)
  }

  async create(object: KubeObject, tracking?: Tracking): Promise<KubeObject> {
    await this.#session.pause()
    return createObject(this.#session, object, { tracking })
  }

  async update(object: KubeObject, tracking?: Tracking): Promise<KubeObject> {
    await this.#session.pause()
    return updateObject(this.#session, object, { tracking })
  }

  async remove(
    ref: ObjectRef,
    preconditions?: { uid?: string; resourceVersion?: string },
  ): Promise<{ object: KubeObject; gone: boolean }> {
    await this.#session.pause()
    const { object, gone } = await removeObject(this.#session, ref, preconditions)
    return { object: copy(object), gone }
  }

  async removeProject(
    ref: ObjectRef,
    options: { readonly erase: boolean },
  ): Promise<{ object: KubeObject; gone: boolean }> {
    const { object, gone } = await removeProject(this.#session, ref, options)
    return { object: copy(object), gone }
  }

  async setStatus(object: KubeObject, tracking?: Tracking): Promise<KubeObject> {
    await this.#session.pause()
    const row = this.#session.require(refOf(object))
    checkPreconditions(row, object.metadata)
    return this.#putStatus(row, object.status, tracking)
  }

  holdsValue(object: KubeObject): Promise<boolean> {
    return holdsValue(this.#session, object)
  }

  async expectVersion(ref: ObjectRef, version: number): Promise<void> {
    await this.#session.pause()
    expectVersion(this.#session, ref, version)
  }

  async rollbackSecret(ref: ObjectRef, version: number): Promise<KubeObject> {
    return copy(await rollbackSecret(this.#session, ref, version))
  }

  async renewSecret(ref: ObjectRef): Promise<KubeObject> {
    await this.#session.pause()
    return copy(await renewSecret(this.#session, ref))
  }

  async setOutput(ref: ObjectRef, rotation: KubeObject, value: string): Promise<KubeObject> {
    await this.#session.pause()
    return copy(await setOutput(this.#session, ref, { rotation, value }))
  }

  async stage(project: ObjectRef, place: StagedPlace, credential: StagedCredential): Promise<void> {
    await stageCredential(this.#session, project, place, credential)
  }

  async endStaged(rotationUid: string): Promise<void> {
    await dropStaged(this.#session, rotationUid)
  }

  async revokeVersions(ref: ObjectRef, version: number): Promise<void> {
    expectVersion(this.#session, ref, version)
    await revokeVersions(this.#session, this.#session.require(ref).uid, version)
  }

  async audit(ref: ObjectRef, action: string, detail: Record<string, unknown>): Promise<void> {
    await this.#session.pause()
    this.#session.audit(ref, { action, detail })
  }

  async putFetched(ref: ObjectRef, fetched: FetchedValue): Promise<KubeObject> {
    await this.#session.pause()
    return copy(await putFetched(this.#session, ref, fetched))
  }

  rollbackProject(project: ObjectRef, choice: RevisionChoice): Promise<ProjectRollback> {
    return rollbackProject(this.#session, project, choice)
  }

  async restoreSecret(project: ObjectRef, secretUid: string): Promise<KubeObject> {
    const secret = await restoreSecret(this.#session, project, secretUid)
    const rotation = rotationWith(this.#session, secret)
    if (rotation !== undefined) await this.setStatus(rotation)
    return copy(secret)
  }

  purgeSecret(project: ObjectRef, secretUid: string): Promise<{ name: string; versions: number }> {
    return purgeSecret(this.#session, project, secretUid)
  }

  async setConditions(ref: ObjectRef, conditions: readonly NewCondition[]): Promise<void> {
    await this.#session.pause()
    const row = this.#session.require(ref)
    let next = conditionsOf(row.object)
    for (const condition of conditions) next = withCondition(next, condition, this.#session.now)
    this.#putStatus(row, { ...row.object.status, conditions: next })
  }

  #putStatus(
    row: StoredRow,
    given: Record<string, unknown> | undefined,
    tracking?: Tracking,
  ): KubeObject {
    const status = given && fitTo(boundedStatus(row.object), given).value
    const metadata = tracked(row.object.metadata, tracking)
    const same = sameJson(metadata, row.object.metadata)
    if (same && sameJson(status ?? {}, row.object.status ?? {})) return row.object
    const { status: _, ...other } = row.object
    const changed: KubeObject = { ...other, metadata, ...defined({ status }) }
    const next =
      tracking === undefined ? withStatusOwner(changed, row.object, this.#session.now) : changed
    // Machines write what they observe, which is not audited. A person's write of a status is.
    const audit = this.#session.actor.source === 'api' ? { action: 'update status' } : undefined
    return this.#session.put(next, row.source, row, audit).object
  }

  async putInternal(object: KubeObject): Promise<void> {
    await this.#session.pause()
    const row = this.#session.fetch(refOf(object))
    if (row !== undefined && sameJson(object.spec, row.object.spec)) return
    const metadata = {
      ...object.metadata,
      uid: row?.uid ?? randomUUID(),
      creationTimestamp: row?.object.metadata.creationTimestamp ?? this.#session.now,
      generation: (row?.object.metadata.generation ?? 0) + 1,
    }
    this.#session.put({ ...object, metadata }, 'system', row)
  }

  async tell(happening: Happening): Promise<void> {
    await this.#session.pause()
    this.#session.changes.tell(happening)
  }

  async recordEvents(events: readonly EventInput[]): Promise<void> {
    for (const event of events) await this.recordEvent(event)
  }

  async recordEvent(event: EventInput): Promise<void> {
    await this.#session.pause()
    const { regarding, type, reason } = event
    const about = refOf(regarding)
    const message = fitTo(eventSpec.shape.message, event.message).value
    const eventRef = refOfEvent({ ...event, message })
    const { namespace, name } = eventRef
    const home = this.#session.fetch({ kind: 'Namespace', namespace: '', name: namespace })
    if (home === undefined || home.object.metadata.deletionTimestamp !== undefined) return
    const row = this.#session.fetch(eventRef)
    const { now } = this.#session
    const old = row && specOf('Event', row.object)
    const spec: EventSpec = {
      involvedObject: {
        apiVersion: regarding.apiVersion,
        kind: about.kind,
        name: about.name,
        namespace: about.namespace,
        ...defined({ uid: regarding.metadata.uid }),
      },
      reason,
      message,
      type,
      source: { component },
      reportingComponent: component,
      reportingInstance: '',
      firstTimestamp: old?.firstTimestamp ?? now,
      lastTimestamp: now,
      count: (old?.count ?? 0) + 1,
    }
    const metadata = row?.object.metadata ?? {
      name,
      namespace,
      uid: randomUUID(),
      creationTimestamp: now,
    }
    const object: KubeObject = { apiVersion: 'v1', kind: 'Event', metadata, spec: { ...spec } }
    this.#session.put(object, 'system', row)
    append(this.#session.changes.notices, noticesOf(this.#session, { ...event, message }))
  }

  async removeFinalizer(ref: ObjectRef, finalizer: string): Promise<void> {
    const row = this.#session.require(ref)
    const { finalizers = [], ...metadata } = row.object.metadata
    if (!finalizers.includes(finalizer)) return
    const left = finalizers.filter((f) => f !== finalizer)
    const next = left.length === 0 ? metadata : { ...metadata, finalizers: left }
    const stored = this.#session.put({ ...row.object, metadata: next }, row.source, row)
    const last = metadata.deletionTimestamp !== undefined && left.length === 0
    if (last) await finishRemoval(this.#session, stored)
  }
}
