// Keys as an administrator sees them: their age, what is sealed by which, and their rotation.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import { linkedAbort } from '../../kernel/linked-abort.ts'
import { isReason, messageOf, StagelyError } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/log.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { describeWrap } from '../../secrets/key-provider.ts'
import type { KeyRing } from '../../secrets/key-ring.ts'
import { ProjectKeyCache } from '../../secrets/project-keys.ts'
import type { Sql } from '../sql.ts'
import type { SqlStore } from '../sql-store.ts'
import type { Actor } from '../store.ts'
import { readComplianceFacts, type ComplianceFacts } from '../compliance/facts.ts'
import { noteWrapping, readAges, readKeyFacts, type KeyAges, type KeyFacts } from './key-age.ts'
import { readKeyStatus, type KeyStatus } from './key-status.ts'
import { noteNewWrapping } from './noted-keys.ts'
import { resealStaged } from './reseal-staged.ts'
import { dropRetired } from './retired-keys.ts'
import { resealBatch, type PassedOver } from './reseal.ts'
import { rewrapBatch } from './rewrap.ts'
import { wrapTargets } from './project-key-use.ts'
import {
  beginRotation,
  claimRotation,
  endRotation,
  insertRotation,
  makeDataKeys,
  noteRotation,
  replaceDataKeys,
  type LeftOut,
  type Rotation,
} from './rotations.ts'
import { tellOfKeys, type DueKey } from './told-keys.ts'
import { countElsewhere } from './wraps.ts'
import { controllerActor } from '../actor.ts'

export interface BegunRotation extends Rotation {
  /** Projects that it leaves out, since their key does not answer. */
  readonly left: readonly {
    readonly projectUid: string
    /** `team/name`. */
    readonly project: string
    readonly message: string
  }[]
}

export interface KeyStoreDeps {
  readonly sql: Sql
  readonly store: SqlStore
  readonly keyRing: KeyRing
  readonly clock: Clock
  readonly log: Logger
  readonly rotationMs: number
  readonly rotatesKeys: boolean
}

/**
 * Each batch renews it. One that runs out while its batch is still at work does no harm: rows are
 * replaced only while they are what was read.
 */
const leaseMs = 8_000
const lookMs = 5_000

const leftSql = `
SELECT k.project_uid AS project FROM data_keys k
WHERE k.retired_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM sealed_rows v WHERE v.data_key_id = k.id)
  AND NOT EXISTS (SELECT 1 FROM key_rotations r WHERE r.kind = 'data'
    AND coalesce(r.project_uid, k.project_uid) = k.project_uid
    AND (r.state = 'Running' OR r.started_at >= k.retired_at))
LIMIT 1`

const shownLeft = ({ uid, project, error }: LeftOut): BegunRotation['left'][number] => ({
  ...{ projectUid: uid, project, message: error.message },
})

export class KeyStore {
  readonly #deps: KeyStoreDeps
  readonly #runner = randomUUID()
  readonly #keys: ProjectKeyCache
  #wake: (() => void) | undefined

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

  /** What the tables know of the lives of a project's keys and values. */
  complianceOf(project: KubeObject): Promise<ComplianceFacts> {
    return readComplianceFacts(this.#deps.sql, project)
  }

  /** Whose writes are refused once the term is over. */
  asLeader(term: number): KeyStore {
    return new KeyStore({ ...this.#deps, store: this.#deps.store.asLeader(term) })
  }

  /** Tells the operator of keys that are due, of each one as often as it says. */
  tellOf(due: readonly DueKey[]): Promise<void> {
    return tellOfKeys(this.#deps, due)
  }

  /**
   * New data keys for one project or for all. When it resolves nothing more is sealed with the old
   * ones; what they sealed is sealed anew by `run`. Projects whose key does not answer are left as they
   * are; ServiceUnavailable where that is all of them. Conflict while another one runs for all or for
   * the same project.
   */
  async rotateDataKeys(actor: Actor, projectUid?: string): Promise<BegunRotation> {
    const { made, left } = await this.#makeDataKeys((uid) => uid === (projectUid ?? uid))
    if (made.length === 0 && left[0] !== undefined) throw left[0].error
    const rotation = await this.#deps.store.writeWithSession(actor, async (session, tx) => {
      const begun = await insertRotation(session, { kind: 'data', projectUid })
      await replaceDataKeys(session, tx, made)
      return begun
    })
    this.#wake?.()
    return { ...rotation, left: left.map(shownLeft) }
  }

  /**
   * As rotateDataKeys, for some projects, and beside any rotation that runs: what that one does not seal anew is
   * left to `beginLeft`. Returns the projects whose key does not answer.
   */
  async replaceDataKeys(actor: Actor, uids: readonly string[]): Promise<BegunRotation['left']> {
    const wanted = new Set(uids)
    const { made, left } = await this.#makeDataKeys((uid) => wanted.has(uid))
    const projectUid = made.length === 1 ? made[0]?.uid : undefined
    if (made.length > 0)
      await this.#deps.store.writeWithSession(actor, async (session, tx) => {
        await beginRotation(session, { kind: 'data', projectUid })
        await replaceDataKeys(session, tx, made)
      })
    return left.map(shownLeft)
  }

  async #makeDataKeys(isWanted: (uid: string) => boolean): ReturnType<typeof makeDataKeys> {
    const { store, keyRing } = this.#deps
    await store.currentVersion()
    const projects = [...store.state.projects.rows()]
      .filter(({ id }) => isWanted(id))
      .map(({ id: uid, namespace, name, keyProvider }) => ({
        ...{ uid, project: `${namespace}/${name}`, keyProvider },
      }))
    return makeDataKeys(keyRing, projects)
  }

  /**
   * Wraps every key anew under the master key of now, or the one that its project names, a new
   * version of it included. BadRequest when nothing is wrapped by another.
   */
  async rotateMasterKey(actor: Actor): Promise<Rotation> {
    const { sql, store, keyRing } = this.#deps
    const { targets, silent } = await wrapTargets(sql, keyRing)
    const target = targets.get('') ?? ''
    if ((await countElsewhere(sql, targets)) === 0) {
      if (silent !== undefined) throw silent
      throw new StagelyError(
        'BadRequest',
        `every key is wrapped by ${describeWrap(target)} already: make a new version of the key in its service, or start the controllers with a new key and the old one in STAGELY_SECRET_KEY_PREVIOUS (or STAGELY_KEY_PROVIDER_PREVIOUS and STAGELY_KMS_KEY_PREVIOUS)`,
      )
    }
    const rotation = await store.writeWithSession(actor, async (session, tx) => {
      await noteNewWrapping(session, tx, await noteWrapping(session, targets))
      return insertRotation(session, { kind: 'master', target })
    })
    this.#wake?.()
    return rotation
  }

  /** Works on rotations, and drops retired keys, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps
    await this.#beginWhereMoved()
    while (!signal.aborted) {
      try {
        await this.beginLeft()
        while (!signal.aborted && (await this.workOnce())) await clock.sleep(0, signal)
        await dropRetired(this.#deps)
        this.#keys.sweep()
      } catch (error) {
        if (!signal.aborted) log.warn({ err: messageOf(error) }, 'keys cannot be looked after')
      }
      await this.#rest(signal)
    }
  }

  /** The first batch of what there is to do; false when there is nothing, or it has to wait. */
  async workOnce(): Promise<boolean> {
    const { sql, clock } = this.#deps
    const now = clock.now()
    const lease = { runner: this.#runner, now, until: now + leaseMs }
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
  async #work(rotation: Rotation): Promise<boolean> {
    const { sql, store, clock, keyRing } = this.#deps
    const passed: PassedOver = { damaged: new Set(), silent: new Map() }
    const { damaged } = passed
    if (rotation.kind === 'data') await resealStaged(sql, this.#keys, rotation, passed)
    const isMaster = rotation.kind === 'master'
    const { targets, silent } = isMaster
      ? await wrapTargets(sql, keyRing)
      : { targets: new Map<string, string>() }
    for (;;) {
      const { moved, more } = isMaster
        ? await rewrapBatch(this.#deps, targets, damaged)
        : await resealBatch(sql, this.#keys, rotation, passed)
      if (!more) break
      const now = clock.now()
      await noteRotation(sql, rotation.id, { done: moved, now, until: now + leaseMs })
      if (moved > 0 && damaged.size === 0) return true
      // Rows that a writer holds just now.
      if (moved === 0) await clock.sleep(20)
    }
    // What that key wraps, or should wrap, is left, or not known to be nothing.
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

  /** A controller that was given a new master key begins to move to it by itself. */
  async #beginWhereMoved(): Promise<void> {
    try {
      await this.rotateMasterKey(controllerActor)
      this.#deps.log.info({}, 'keys are wrapped anew under the master key of now')
    } catch (error) {
      const usual = isReason(error, 'BadRequest') || isReason(error, 'Conflict')
      if (!usual) this.#deps.log.warn({ err: messageOf(error) }, 'keys are not wrapped anew yet')
    }
  }

  /** Begins what a project's move to another key could not, since another rotation was running. */
  async beginLeft(): Promise<void> {
    const { sql, store } = this.#deps
    const [left] = await sql.query<{ project: string }>(leftSql)
    if (left === undefined) return
    const rotation = { kind: 'data', projectUid: left.project } as const
    await store.writeWithSession(controllerActor, (session) => beginRotation(session, rotation))
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const woken = linkedAbort(signal)
    this.#wake = () => woken.abort()
    await this.#deps.clock.sleep(lookMs, woken.signal).catch(() => undefined)
    woken.abort()
    this.#wake = undefined
  }
}
