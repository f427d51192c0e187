// What a caller may do within one write: each call goes to the file that does it.
import { copyJson } from '../kernel/copy-json.ts'
import type { NewCondition } from '../resources/conditions.ts'
import { type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { ofKind, type ObjectOf } from '../kinds/typed.ts'
import type { ActivityEntry } from './core/activity-entry.ts'
import type { ProjectRollback, RevisionChoice } from './core/history.ts'
import type { EventInput, ListOptions, ObjectList, Removed, Tracking } from './core/objects.ts'
import type { Reader } from './core/reader.ts'
import type { FetchedValue, ProjectRevisions, SecretSet } from './core/sets.ts'
import type { WriteSession } from './core/write-session.ts'
import { hiddenSecrets } from './guard/grants.ts'
import { decideOnRequest, type GivenDecision } from './objects/access-decisions.ts'
import { settlePolicy } from './objects/access-policies.ts'
import { settleRequest } from './objects/access-settling.ts'
import { putFetched, renewSecret, setOutput } from './history/new-value.ts'
import { purgeSecret } from './history/purge.ts'
import { checkClasses } from './secrets/guesses-of-values.ts'
import { restoreSecret } from './history/restore.ts'
import { expectVersion, rollbackProject, rollbackSecret } from './history/rollback.ts'
import { putInternal, recordEvent } from './objects/machine-writes.ts'
import { createInSession, updateInSession } from './objects/objects.ts'
import { checkPlace } from './places/check-place.ts'
import { isNameFree } from './places/names.ts'
import { toldTo } from './guard/told.ts'
import { finderIn, shownIn } from './places/places.ts'
import { revisionsIn, rowsOfKind, rowsOfProject, setAt } from './objects/reads.ts'
import { removeFinalizer, removeObject, removeProject } from './objects/removal.ts'
import { setConditions, setStatus } from './objects/status-writes.ts'
import { withSettledFindings } from './secrets/findings.ts'
import { holdsValue } from './secrets/find-value.ts'
import { saveProjects } from './secrets/projects.ts'
import {
  dropStaged,
  refuseVersions,
  revokeVersions,
  stageCredential,
  type StagedCredential,
  type StagedPlace,
} from './secrets/staged-values.ts'
import { rightsOf } from './core/actor.ts'

/** Callers may change the objects that they get. */
const copy: (object: KubeObject) => KubeObject = copyJson

const copyRemoved = ({ object, gone }: Removed): Removed => ({ object: copy(object), gone })

export class Transaction implements Reader {
  readonly #session: WriteSession

  constructor(session: WriteSession) {
    this.#session = session
  }

  /** What a narrowed token does not see is not there, also of an object that it sees: a refused write may repeat it. */
  #shown(object: KubeObject): KubeObject | undefined {
    const { actor, view } = this.#session
    const narrowing = rightsOf(actor).narrowingIn(object.metadata.namespace ?? '')
    const told = toldTo(this.#session, object)
    return narrowing === undefined ? told : shownIn(narrowing, told, finderIn(view))
  }

  /** The actor does not see the whole team: names may be taken by what it does not see. */
  isNarrowed(namespace: string): boolean {
    return rightsOf(this.#session.actor).narrowingIn(namespace) !== undefined
  }

  /** False where something that the actor does not see has the name of this new object. TooManyRequests after many. */
  isNameFree(object: KubeObject): boolean {
    return isNameFree(this.#session, object)
  }

  async get<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined> {
    const object = await this.getFrozen(ref)
    return object && copyJson(object)
  }

  /** As get(), but frozen: costs no copy. */
  async getFrozen<K extends string>(ref: ObjectRef<K>): Promise<ObjectOf<K> | undefined> {
    await this.#session.pause()
    const row = this.#session.fetch(ref)
    const object = row && this.#shown(row.object)
    return object && ofKind(ref.kind, object)
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
    for (const row of rows) {
      const object = this.#shown(row.object)
      if (object === undefined) continue
      items.push(ofKind(kind, copy(object)))
      await this.#session.pause()
    }
    return { items, resourceVersion: this.#session.rv }
  }

  /** Like list(), with what the actor's token does not see: to decide by it, and to tell nothing of it. */
  async listWhole<K extends string>(kind: K, namespace: string): Promise<readonly ObjectOf<K>[]> {
    await this.#session.pause()
    const rows = rowsOfKind(this.#session.view, kind, { namespace })
    return rows.map(({ object }) => ofKind(kind, object))
  }

  readSet(projectUid: string, revision: number | 'head'): Promise<SecretSet> {
    return setAt(this.#session, projectUid, revision)
  }

  async revisionsOf(projectUid: string): Promise<ProjectRevisions> {
    await this.#session.pause()
    saveProjects(this.#session)
    return revisionsIn(this.#session.view, this.#session.epoch, projectUid)
  }

  /** Creates an object for a user: defaults, admission, sealing, uniqueness. AlreadyExists, Invalid. */
  async create(object: KubeObject, tracking?: Tracking): Promise<KubeObject> {
    await this.#session.pause()
    return createInSession(this.#session, object, { tracking })
  }

  /**
   * Replaces metadata (labels, annotations, finalizers) and spec for a user; status is ignored. Conflict where
   * `metadata.resourceVersion` is given and not current. An object with a deletionTimestamp is removed with its last
   * finalizer.
   */
  async update(object: KubeObject, tracking?: Tracking): Promise<KubeObject> {
    await this.#session.pause()
    return toldTo(this.#session, await updateInSession(this.#session, object, { tracking }))
  }

  /** Deletes the object, or sets its deletionTimestamp while it has finalizers. The secrets of a Project stay. Returns the last state. */
  async remove(
    ref: ObjectRef,
    preconditions?: { uid?: string; resourceVersion?: string },
  ): Promise<Removed> {
    await this.#session.pause()
    return copyRemoved(await removeObject(this.#session, ref, preconditions))
  }

  /**
   * Removes a Project with all its secrets. A new Project of this name can restore them for their grace time; with `erase`
   * the keys are removed at once, so that no value can be restored.
   */
  async removeProject(ref: ObjectRef, options: { readonly erase: boolean }): Promise<Removed> {
    return copyRemoved(await removeProject(this.#session, ref, options))
  }

  /** Replaces the status, for a machine. */
  async setStatus(object: KubeObject, tracking?: Tracking): Promise<KubeObject> {
    await this.#session.pause()
    return setStatus(this.#session, object, tracking)
  }

  /** True where the value in the secret's spec is the stored one. */
  holdsValue(object: KubeObject): Promise<boolean> {
    return holdsValue(this.#session, object)
  }

  /** Conflict when the secret's stored version is another (0: none). For compare-and-set. */
  async expectVersion(ref: ObjectRef, version: number): Promise<void> {
    await this.#session.pause()
    expectVersion(this.#session, ref, version)
  }

  /** Forbidden where the actor may not write this object at its place, such as for a request that is a fact of the status. */
  checkMayChange(object: KubeObject): void {
    checkPlace(this.#session, object)
  }

  /**
   * Stores the value of an old version as a new version; scope and place stay. Conflict where another source owns the
   * secret, NotFound for a version that is not kept.
   */
  async rollbackSecret(ref: ObjectRef, version: number): Promise<KubeObject> {
    return copy(await rollbackSecret(this.#session, ref, version))
  }

  /** Generates a new value, as the secret's spec says. */
  async renewSecret(ref: ObjectRef): Promise<KubeObject> {
    await this.#session.pause()
    return copy(await renewSecret(this.#session, ref))
  }

  /** Stores a value that the Rotation has made. Conflict where the secret does not name the Rotation (valueFrom.rotation). */
  async setOutput(ref: ObjectRef, rotation: KubeObject, value: string): Promise<KubeObject> {
    await this.#session.pause()
    return copy(await setOutput(this.#session, ref, { rotation, value }))
  }

  /** Stores the credential of an attempt, sealed. A stored one is kept. */
  async stage(project: ObjectRef, place: StagedPlace, credential: StagedCredential): Promise<void> {
    await stageCredential(this.#session, project, place, credential)
  }

  /** Drops the stored credentials of a Rotation. */
  async endStaged(rotationUid: string): Promise<void> {
    await dropStaged(this.#session, rotationUid)
  }

  /**
   * Marks the versions before `version` as revoked, but for those with its value. Conflict where `version` is not the
   * current one.
   */
  async revokeVersions(ref: ObjectRef, version: number): Promise<void> {
    expectVersion(this.#session, ref, version)
    const { uid, object } = this.#session.require(ref)
    await revokeVersions(this.#session, uid, version)
    const settled = await withSettledFindings(this.#session, object, this.#session.head(uid))
    if (settled !== object) setStatus(this.#session, settled)
  }

  /** Notes that the credential that was current before `version` is refused since then. */
  async refuseVersions(ref: ObjectRef, version: number, atMs: number): Promise<void> {
    await this.#session.pause()
    await refuseVersions(this.#session, this.#session.require(ref).uid, { version, atMs })
  }

  /** Audits an action of a machine that is no write of an object. */
  async audit(ref: ObjectRef, action: string, detail: Record<string, unknown>): Promise<void> {
    await this.#session.pause()
    this.#session.audit(ref, { action, detail })
  }

  /** Stores a value that was fetched for a secret whose spec names a store. An equal value makes no version. */
  async putFetched(ref: ObjectRef, fetched: FetchedValue): Promise<KubeObject> {
    await this.#session.pause()
    return copy(await putFetched(this.#session, ref, fetched))
  }

  /**
   * Makes the project's set equal to an old one: old values and places become new versions, new secrets are deleted, and
   * deleted secrets are created again with their ids. All or nothing. Conflict names secrets that another source owns.
   */
  rollbackProject(project: ObjectRef, choice: RevisionChoice): Promise<ProjectRollback> {
    return rollbackProject(this.#session, project, choice)
  }

  /** Restores a deleted secret with its id. Invalid where another secret has its place by now. */
  async restoreSecret(project: ObjectRef, secretUid: string): Promise<KubeObject> {
    return copy(await restoreSecret(this.#session, project, secretUid))
  }

  /**
   * Erases a secret or a deleted secret: all its versions, also from old revisions. An audit row tells it. Conflict where
   * another source owns the secret.
   */
  purgeSecret(project: ObjectRef, secretUid: string): Promise<{ name: string; versions: number }> {
    return purgeSecret(this.#session, project, secretUid)
  }

  /** What a person does with a request for access. Forbidden and Conflict, with the reason. */
  async decideAccess(ref: ObjectRef, decision: GivenDecision): Promise<KubeObject> {
    return copy(await decideOnRequest(this.#session, ref, decision))
  }

  /** Judges the request anew; returns when (ms) time alone changes it next. */
  settleAccess(ref: ObjectRef): Promise<number | undefined> {
    return settleRequest(this.#session, ref)
  }

  /** Uids of the secrets of a project of whose values nothing is told to the caller: guarded, and covered by no grant that runs. */
  hiddenFrom(project: ObjectRef): Promise<ReadonlySet<string>> {
    return hiddenSecrets(this.#session, project)
  }

  /** TooManyRequests for a caller who may not read all values of the project, and has written many of one of the keys. */
  checkClasses(project: ObjectRef, keys: Iterable<string>): void {
    checkClasses(this.#session, project, keys)
  }

  /** Brings the status of a policy up to date: people and tokens come and go. */
  settlePolicy(ref: ObjectRef): Promise<void> {
    return settlePolicy(this.#session, ref)
  }

  /** Sets some conditions of the status. */
  async setConditions(ref: ObjectRef, conditions: readonly NewCondition[]): Promise<void> {
    await this.#session.pause()
    setConditions(this.#session, ref, conditions)
  }

  /** Writes or replaces an internal object (Observation). */
  async putInternal(object: KubeObject): Promise<void> {
    await this.#session.pause()
    putInternal(this.#session, object)
  }

  /** Keeps an entry of the activity log for people. It is stored only with a change of an object. */
  async recordActivity(entry: ActivityEntry): Promise<void> {
    await this.#session.pause()
    this.#session.changes.recordActivity(entry)
  }

  async recordEvents(events: readonly EventInput[]): Promise<void> {
    for (const event of events) await this.recordEvent(event)
  }

  /** Counts a core/v1 Event: same object, reason and message raise `count` and `lastTimestamp`. */
  async recordEvent(event: EventInput): Promise<void> {
    await this.#session.pause()
    recordEvent(this.#session, event)
  }

  /** Removes a finalizer, for a machine. */
  async removeFinalizer(ref: ObjectRef, finalizer: string): Promise<void> {
    await removeFinalizer(this.#session, ref, finalizer)
  }
}
