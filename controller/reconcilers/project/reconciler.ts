// Reconciles the status of a project and of all its secrets in one run, which reads the sets once.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { mapYielding } from '../../../src/kernel/map-yielding.ts'
import { conditionsOf, findCondition } from '../../../src/resources/conditions.ts'
import { refFromKey, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import { done, waitFor, type Outcome, type Reconciler } from '../../../src/runtime/control-loop.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { reconcilerActor } from '../actor.ts'
import { decideOrphan, decideProject } from './decide.ts'
import {
  gatherAround,
  secretsOf,
  type ProjectAround,
  type ProjectObject,
  type SecretObject,
} from './gather.ts'
import { expiryEvents, isToRenew, renew } from './expiry.ts'
import { Judged, type ListedSecret } from './judged.ts'
import { hasSameInputs } from './reconciled-inputs.ts'

/** Statuses in one transaction: requests that write wait for it. */
const inOneWrite = 50
/** A run that finds nothing new does not begin at once again. */
const leastMs = 1_000
/** Timers count another time than the clock, which may be set; and none is longer than 24 days. */
const mostMs = 3_600_000

/**
 * Reads and decides outside any transaction: a project may have thousands of secrets, and all writers would
 * wait. An object whose inputs have changed since is skipped, as its own change starts another run. A new label
 * or new counts of a project are no inputs: such an object gets its status.
 */
export const createProjectReconciler = (deps: { store: Store; clock: Clock }): Reconciler => {
  const judged = new Map<string, Judged>()
  const workIn = async (key: string): Promise<Work> => {
    const ref = refFromKey(key)
    const now = toTimestamp(deps.clock.now())
    const { namespace, name: project } = ref
    const secrets = await deps.store.listRows('StagelySecret', { namespace, project })
    const input = await gatherAround(deps.store, ref, now)
    if (input === undefined) {
      judged.delete(key)
      return { changes: orphanChanges(await secretsOf(deps.store, ref), now), renewals: [] }
    }
    const known = judged.get(key) ?? new Judged()
    judged.set(key, known)
    const work = await workOf(input, known, secrets as unknown as readonly ListedSecret[])
    const { nextAt } = known
    return nextAt === undefined ? work : { ...work, waitMs: nextAt - deps.clock.now() }
  }
  const write = async (changes: readonly Change[]): Promise<void> => {
    for (let first = 0; first < changes.length; first += inOneWrite) {
      const some = changes.slice(first, first + inOneWrite)
      await deps.store.write(reconcilerActor, {}, async (tx) => {
        for (const one of some) {
          const current = await tx.get(refOf(one.before))
          if (current !== undefined && hasSameInputs(current, one.before))
            await one.write(tx, current)
        }
      })
    }
  }
  const reconcile = async (key: string): Promise<Outcome> => {
    const { changes, renewals, waitMs } = await workIn(key)
    await write(changes)
    try {
      await write(renewals)
    } catch (error) {
      // What cannot be made now, such as while a key does not answer, is told, and tried again.
      await write(renewals.flatMap(({ otherwise }) => otherwise ?? []))
      throw error
    }
    return waitMs === undefined ? done : waitFor(Math.min(Math.max(waitMs, leastMs), mostMs))
  }
  return { name: 'project', reconcile }
}

interface Work {
  readonly changes: readonly Change[]
  readonly renewals: readonly Change[]
  /** Until time alone changes something. */
  readonly waitMs?: number
}

interface Change {
  readonly before: KubeObject
  /** In its place, where it fails. */
  readonly otherwise?: Change | undefined
  /** `current` is the object as it is in this transaction. */
  readonly write: (tx: Transaction, current: KubeObject) => Promise<void>
}

const workOf = async (
  input: ProjectAround,
  judged: Judged,
  secrets: readonly ListedSecret[],
): Promise<Work> => {
  const judge = judged.judgeOf(input)
  const renewals: Change[] = []
  const changes = await mapYielding(secrets, (row) => {
    const status = judge(row)
    if (status === undefined && judged.isRight(row)) return undefined
    const secret = row.object
    const change = status && changeTo(secret, status)
    if (!isToRenew(secret, Date.parse(input.now))) return change
    renewals.push({ before: secret, write: renew, otherwise: change })
    // A Rotation takes its time: until then the value has ended.
    return secret.spec.valueFrom?.rotation === undefined ? undefined : change
  })
  const all = [projectChange(input), ...changes]
  return { changes: all.filter((one) => one !== undefined), renewals }
}

/** For secrets without a project: they may be there before the project, and stay after it. */
const orphanChanges = (secrets: readonly SecretObject[], now: string): Change[] =>
  secrets.flatMap((secret) => {
    const status = decideOrphan(secret, now)
    return sameJson(secret.status, status) ? [] : [changeTo(secret, status)]
  })

/** Decided once more in the transaction: the rollout reconciler may have written its fields since. */
const projectChange = (input: ProjectAround): Change | undefined => {
  const before = input.project
  if (sameJson(before.status, decideProject(input))) return undefined
  const write = async (tx: Transaction, current: KubeObject): Promise<void> => {
    const project = current as ProjectObject
    await tx.setStatus({ ...project, status: { ...decideProject({ ...input, project }) } })
  }
  return { before, write }
}

const changeTo = (before: SecretObject, status: SecretStatus): Change => ({
  before,
  write: (tx, current) => writeSecret(tx, current, status),
})

/** `current` has the same inputs as when the status was decided. */
const writeSecret = async (
  tx: Transaction,
  current: KubeObject,
  status: SecretStatus,
): Promise<void> => {
  const after = { ...current, status: { ...status } }
  await tx.setStatus(after)
  await tx.recordEvents(expiryEvents(current, after))
  const matched = findCondition(conditionsOf(after), 'ScopeMatched')
  const before = findCondition(conditionsOf(current), 'ScopeMatched')
  if (matched?.status !== 'False' || before?.status === 'False') return
  const { reason, message } = matched
  await tx.recordEvent({ regarding: after, type: 'Warning', reason, message })
}
