// Keys for an administrator: their age, the values that they seal, and their rotation.
import { randomUUID } from 'node:crypto'
import { isReason, messageOf, StagelyError } from '../../kernel/errors.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { describeWrap } from '../../secrets/key-provider.ts'
import { ProjectKeyCache } from '../../secrets/project-keys.ts'
import type { Actor } from '../core/actor.ts'
import { readComplianceFacts, type ComplianceFacts } from './compliance-facts.ts'
import { noteWrapping, readAges, readKeyFacts, type KeyAges, type KeyFacts } from './key-age.ts'
import { readKeyStatus, type KeyStatus } from './key-status.ts'
import { makeDataKeys, replaceDataKeys, type LeftOut } from './data-keys.ts'
import type { KeyStoreDeps } from './key-store-deps.ts'
import { noteNewWrapping } from './key-status-writes.ts'
import { resealStaged } from './reseal-staged.ts'
import { dropRetired } from './key-deletion.ts'
import { resealBatch, type PassedOver } from './reseal.ts'
import { rewrapBatch } from './rewrap.ts'
import { wrapTargets } from './project-key-use.ts'
import {
  beginRotation,
  claimRotation,
  endRotation,
  insertRotation,
  noteRotation,
  type RunningKeyRotation,
} from '../secrets/key-rotations.ts'
import { warnOfKeys, type DueKey } from './key-warnings.ts'
import { countWrappedByOtherKey } from './wraps.ts'
import { controllerActor } from '../core/actor.ts'

export interface BegunRotation extends RunningKeyRotation {
  /** Projects that the rotation leaves out, since their key does not answer. */
  readonly left: readonly {
    readonly projectUid: string
    /** `team/name`. */
    readonly project: string
    readonly message: string
  }[]
}

/**
 * Each batch renews it. One that runs out while its batch is still at work does no harm: rows are
 * replaced only where they have not changed since they were read.
 */
const leaseMs = 8_000

const leftSql = `
SELECT k.project_uid AS project FROM data_keys k
WHERE k.retired_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM sealed_rows v WHERE v.data_key_id = k.id)
  AND NOT EXISTS (SELECT 1 FROM key_rotations r WHERE r.kind = 'data'
    AND coalesce(r.project_uid, k.project_uid) = k.project_uid
    AND (r.state = 'Running' OR r.started_at >= k.retired_at))
LIMIT 1`

const shownLeft = ({ uid, project, error }: LeftOut): BegunRotation['left'][number] => ({
  projectUid: uid,
  project,
  message: error.message,
})

export class KeyStore {
  readonly #deps: KeyStoreDeps
  readonly #runner = randomUUID()
  readonly #keys: ProjectKeyCache
  #isBegun = false
  /** Called when somebody has asked for a rotation here. */
  onRequested: (() => void) | undefined

  constructor(deps: KeyStoreDeps) {
    this.#deps = deps
    this.#keys = new ProjectKeyCache(deps.keyRing, { clock: deps.clock, max: 1_000 })
  }

  status(): Promise<KeyStatus> {
    return readKeyStatus(this.#deps)
  }

  ages(): Promise<KeyAges> {
    return readAges(this.#deps.sql)
  }

  /** The keys of every project. Asks key services, and the database. */
  facts(): Promise<KeyFacts> {
    return readKeyFacts(this.#deps)
  }

  /** A key that is older is due for rotation (ms). */
  get rotationMs(): number {
    return this.#deps.rotationMs
  }

  get rotatesKeys(): boolean {
    return this.#deps.rotatesKeys
  }

  /** Facts about the keys and values of a project, for a report of compliance. */
  complianceOf(project: KubeObject): Promise<ComplianceFacts> {
    return readComplianceFacts(this.#deps.sql, project)
  }

  /** The store of a leader: its writes are refused once the term is over. */
  asLeader(term: number): KeyStore {
    return new KeyStore({ ...this.#deps, store: this.#deps.store.asLeader(term) })
  }

  /** Tells the operator of due keys, of each key at its own interval. */
  tellOf(due: readonly DueKey[]): Promise<void> {
    return warnOfKeys(this.#deps, due)
  }

  /**
   * Makes new data keys for one project or for all. From then on the old keys seal nothing; `run` seals their values with
   * the new keys. Projects whose key does not answer are left out; ServiceUnavailable where all are. Conflict while another
   * such rotation runs for all projects or for this one.
   */
  async rotateDataKeys(actor: Actor, projectUid?: string): Promise<BegunRotation> {
    const { made, left } = await this.#makeDataKeys((uid) => uid === (projectUid ?? uid))
    if (made.length === 0 && left[0] !== undefined) throw left[0].error
    const rotation = await this.#deps.store.writeWithSession(actor, async (session) => {
      const begun = await insertRotation(session, { kind: 'data', projectUid })
      replaceDataKeys(session, made)
      return begun
    })
    this.onRequested?.()
    return { ...rotation, left: left.map(shownLeft) }
  }

  /**
   * rotateDataKeys() for some projects, also while another rotation runs: values that the other rotation leaves out are
   * sealed by a later one (`beginLeft`). Returns the projects whose key does not answer.
   */
  async replaceDataKeys(actor: Actor, uids: readonly string[]): Promise<BegunRotation['left']> {
    const wanted = new Set(uids)
    const { made, left } = await this.#makeDataKeys((uid) => wanted.has(uid))
    const projectUid = made.length === 1 ? made[0]?.uid : undefined
    if (made.length > 0)
      await this.#deps.store.writeWithSession(actor, async (session) => {
        await beginRotation(session, { kind: 'data', projectUid })
        replaceDataKeys(session, made)
      })
    return left.map(shownLeft)
  }

  async #makeDataKeys(isWanted: (uid: string) => boolean): ReturnType<typeof makeDataKeys> {
    const { store, keyRing } = this.#deps
    await store.currentVersion()
    const projects = [...store.state.projects.rows()]
      .filter(({ id }) => isWanted(id))
      .map(({ id: uid, namespace, name, keyProvider }) => ({
        uid,
        project: `${namespace}/${name}`,
        keyProvider,
      }))
    return makeDataKeys(keyRing, projects)
  }

  /**
   * Wraps all keys with the present master key, or with the key that their project names, in its newest version. BadRequest
   * where all are wrapped so already.
   */
  async rotateMasterKey(actor: Actor): Promise<RunningKeyRotation> {
    const { sql, store, keyRing } = this.#deps
    const { targets, silent } = await wrapTargets(sql, keyRing)
    const target = targets.get('') ?? ''
    if ((await countWrappedByOtherKey(sql, targets)) === 0) {
      if (silent !== undefined) throw silent
      throw new StagelyError(
        'BadRequest',
        `every key is wrapped by ${describeWrap(target)} already: make a new version of the key in its service, or start the controllers with a new key and the old one in STAGELY_SECRET_KEY_PREVIOUS (or STAGELY_KEY_PROVIDER_PREVIOUS and STAGELY_KMS_KEY_PREVIOUS)`,
      )
    }
    const rotation = await store.writeWithSession(actor, async (session) => {
      await noteNewWrapping(session, await noteWrapping(session, targets))
      return insertRotation(session, { kind: 'master', target })
    })
    this.onRequested?.()
    return rotation
  }

  /** One round: a batch of a rotation, or, where there is none, the end of retired keys. Returns whether there is more. */
  async workRound(): Promise<boolean> {
    if (!this.#isBegun) await this.#beginWhereMoved()
    this.#isBegun = true
    await this.beginLeft()
    if (await this.workOnce()) return true
    await dropRetired(this.#deps)
    this.#keys.sweep()
    return false
  }

  /** Does the first batch of a rotation; false where there is none, or it has to wait. */
  async workOnce(): Promise<boolean> {
    const { sql, clock } = this.#deps
    const now = clock.now()
    const lease = { runner: this.#runner, now, leaseUntil: now + leaseMs }
    const rotation = await claimRotation(sql, lease)
    if (rotation === undefined) return false
    try {
      return await this.#work(rotation)
    } catch (error) {
      if (!isReason(error, 'ServiceUnavailable')) throw error
      await noteRotation(sql, rotation.id, { ...lease, message: `waits: ${error.message}` })
      return false
    }
  }

  /** Batches until the lease is to be renewed. */
  async #work(rotation: RunningKeyRotation): Promise<boolean> {
    const { sql, store, clock, keyRing } = this.#deps
    const passed: PassedOver = { damaged: new Set(), silent: new Map() }
    const { damaged } = passed
    if (rotation.kind === 'data') await resealStaged(sql, this.#keys, rotation, passed)
    const isMaster = rotation.kind === 'master'
    const { targets, silent } = isMaster
      ? await wrapTargets(sql, keyRing)
      : { targets: new Map<string, string>() }
    for (;;) {
      const { resealed, more } = isMaster
        ? await rewrapBatch(this.#deps, targets, damaged)
        : await resealBatch(sql, this.#keys, rotation, passed)
      if (!more) break
      const now = clock.now()
      await noteRotation(sql, rotation.id, { done: resealed, now, leaseUntil: now + leaseMs })
      if (resealed > 0 && damaged.size === 0) return true
      // Rows that a writer holds just now.
      if (resealed === 0) await clock.sleep(20)
    }
    // Texts that the silent key wraps, or should wrap, are left, or it is not known whether there are any.
    const [waiting = silent] = passed.silent.values()
    if (waiting !== undefined) throw waiting
    const lost = [...damaged].slice(0, 5).join(', ')
    const message =
      damaged.size === 0
        ? ''
        : `${damaged.size} do not open, and were left as they are: ${lost}; restore them from a backup`
    await store.writeWithSession(controllerActor, (session) =>
      endRotation(session, rotation, message),
    )
    this.#deps.log.info({ kind: rotation.kind, failed: damaged.size }, 'a key rotation has ended')
    return true
  }

  /** Begins to wrap all keys with a new master key. */
  async #beginWhereMoved(): Promise<void> {
    try {
      await this.rotateMasterKey(controllerActor)
      this.#deps.log.info({}, 'keys are wrapped anew under the master key of now')
    } catch (error) {
      const usual = isReason(error, 'BadRequest') || isReason(error, 'Conflict')
      if (!usual) this.#deps.log.warn({ err: messageOf(error) }, 'keys are not wrapped anew yet')
    }
  }

  /** Begins a rotation that could not begin when a project moved to another key, as another rotation was running. */
  async beginLeft(): Promise<void> {
    const { sql, store } = this.#deps
    const [left] = await sql.query<{ project: string }>(leftSql)
    if (left === undefined) return
    const rotation = { kind: 'data', projectUid: left.project } as const
    await store.writeWithSession(controllerActor, (session) => beginRotation(session, rotation))
  }
}
