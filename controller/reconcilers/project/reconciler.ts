// Reconciles the status of a project and of all its secrets in one run, which reads the sets once.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { isReason } from '../../../src/kernel/errors.ts'
import { mapYielding } from '../../../src/kernel/async/map-yielding.ts'
import { statusConditions, findCondition } from '../../../src/resources/conditions.ts'
import { refFromKey, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import { ofKind } from '../../../src/kinds/typed.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import {
  done,
  waitFor,
  type ReconcileOutcome,
  type Reconciler,
} from '../../../src/runtime/control-loop.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { reconcilerActor } from '../actor.ts'
import { withSecretsOf, writeNotKnown } from '../not-known.ts'
import { decideOrphan, decideProject } from './decide.ts'
import { gatherProjectFacts, secretsOf, type ProjectFacts, type SecretObject } from './gather.ts'
import { expiryEvents, isToRenew, notRenewed, renew } from './expiry.ts'
import { DecidedSecrets, type ListedSecret } from './decided-secrets.ts'
import { hasSameInputs } from './reconciled-inputs.ts'

/** Most statuses in one write: other writes wait for it. */
const inOneWrite = 50
/** Least time (ms) between two runs that only time starts. */
const leastMs = 1_000
/** Longest timer (ms): the clock may be set while it runs, and no timer may be longer than 24 days. */
const mostMs = 3_600_000
/** When (ms) a refused renewal is tried again. */
const refusedMs = 600_000

/**
 * Reads and decides outside of any write: a project may have thousands of secrets, and all writers would wait. An object
 * whose inputs have changed meanwhile is skipped: its change starts another run. Labels and the counts of a project are no
 * inputs.
 */
export const createProjectReconciler = (deps: { store: Store; clock: Clock }): Reconciler => {
  const decided = new Map<string, DecidedSecrets>()
  const workIn = async (key: string): Promise<Work> => {
    const ref = refFromKey(key)
    const now = toTimestamp(deps.clock.now())
    const { namespace, name: project } = ref
    const secrets = await deps.store.listRows('StagelySecret', { namespace, project })
    const input = await gatherProjectFacts(deps.store, ref, now)
    if (input === undefined) {
      decided.delete(key)
      return { changes: orphanChanges(await secretsOf(deps.store, ref), now), renewals: [] }
    }
    const decidedSecrets = decided.get(key) ?? new DecidedSecrets()
    decided.set(key, decidedSecrets)
    const work = await workOf(input, decidedSecrets, secrets as unknown as readonly ListedSecret[])
    const { nextAt } = decidedSecrets
    return nextAt === undefined ? work : { ...work, waitMs: nextAt - deps.clock.now() }
  }
  const write = async (changes: readonly Change[]): Promise<void> => {
    for (let first = 0; first < changes.length; first += inOneWrite) {
      const some = changes.slice(first, first + inOneWrite)
      await deps.store.write(reconcilerActor, {}, async (tx) => {
        for (const change of some) {
          const current = await tx.get(refOf(change.before))
          if (current !== undefined && hasSameInputs(current, change.before))
            await change.write(tx, current)
        }
      })
    }
  }
  /** The value of one secret may be refused: the others are renewed all the same. */
  const renewOneByOne = async (renewals: readonly Change[]): Promise<void> => {
    for (const renewal of renewals)
      try {
        await write([renewal])
      } catch (error) {
        if (!isReason(error, 'SameAsProduction')) throw error
        await deps.store.write(reconcilerActor, {}, (tx) =>
          tx.setConditions(refOf(renewal.before), [notRenewed(renewal.before, error)]),
        )
      }
  }
  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    const { changes, renewals, waitMs } = await workIn(key)
    await write(changes)
    try {
      await write(renewals)
    } catch (error) {
      // A new value cannot be made while a key does not answer: the status tells that it has ended, and the run is repeated.
      await write(renewals.flatMap(({ otherwise }) => otherwise ?? []))
      if (!isReason(error, 'SameAsProduction')) throw error
      await renewOneByOne(renewals)
      return waitFor(refusedMs)
    }
    return waitMs === undefined ? done : waitFor(Math.min(Math.max(waitMs, leastMs), mostMs))
  }
  const notKnown = async (key: string): Promise<void> =>
    writeNotKnown(deps, await withSecretsOf(deps.store, refFromKey(key)))
  return { name: 'project', reconcile, notKnown }
}

interface Work {
  readonly changes: readonly Change[]
  readonly renewals: readonly Change[]
  /** After this time (ms) a status changes by time alone. */
  readonly waitMs?: number
}

interface Change {
  readonly before: KubeObject
  /** The change to make where this one fails. */
  readonly otherwise?: Change | undefined
  /** `current` is the object within this write. */
  readonly write: (tx: Transaction, current: KubeObject) => Promise<void>
}

const workOf = async (
  input: ProjectFacts,
  decided: DecidedSecrets,
  secrets: readonly ListedSecret[],
): Promise<Work> => {
  const decide = decided.decider(input)
  const renewals: Change[] = []
  const changes = await mapYielding(secrets, (row) => {
    const status = decide(row)
    if (status === undefined && decided.isStored(row)) return undefined
    const secret = row.object
    const change = status && changeTo(secret, status)
    if (!isToRenew(secret, Date.parse(input.now))) return change
    renewals.push({ before: secret, write: renew, otherwise: change })
    // The status tells that the value has ended until the Rotation has made a new one.
    return secret.spec.valueFrom?.rotation === undefined ? undefined : change
  })
  const all = [projectChange(input), ...changes]
  return { changes: all.filter((change) => change !== undefined), renewals }
}

/** Secrets without a Project: they may be created before it, and stay after it. */
const orphanChanges = (secrets: readonly SecretObject[], now: string): Change[] =>
  secrets.flatMap((secret) => {
    const status = decideOrphan(secret, now)
    return sameJson(secret.status, status) ? [] : [changeTo(secret, status)]
  })

/** Decided again within the write: the rollout reconciler may have written its fields meanwhile. */
const projectChange = (input: ProjectFacts): Change | undefined => {
  const before = input.project
  if (sameJson(before.status, decideProject(input))) return undefined
  const write = async (tx: Transaction, current: KubeObject): Promise<void> => {
    const project = ofKind('Project', current)
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
  const matched = findCondition(statusConditions(after), 'ScopeMatched')
  const before = findCondition(statusConditions(current), 'ScopeMatched')
  if (matched?.status !== 'False' || before?.status === 'False') return
  const { reason, message } = matched
  await tx.recordEvent({ regarding: after, type: 'Warning', reason, message })
}
