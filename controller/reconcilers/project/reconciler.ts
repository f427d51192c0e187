// Status of a project and of its secrets, judged together: one read of the sets serves all.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { mapInTurns } from '../../../src/kernel/in-turns.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { refFromKey, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import { done, type Outcome, type Reconciler } from '../../../src/runtime/control-loop.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { reconcilerActor } from '../actor.ts'
import { createSecretStatuses, decideOrphan, decideProject } from './decide.ts'
import {
  gatherProject,
  secretsOf,
  type ProjectInput,
  type ProjectObject,
  type SecretObject,
} from './gather.ts'
import { hasSameInputs } from './reconciled-inputs.ts'

/** Bounds how long the writers of requests wait for the statuses of a large project. */
const inOneWrite = 50

/**
 * Reads and decides outside any transaction, since a project may have thousands of secrets and all
 * writers would wait. What was written meanwhile keeps its status: its own change brings it here again
 * (a label or a project's counts do not, and are no reason to leave the status).
 */
export const createProjectReconciler = (deps: { store: Store; clock: Clock }): Reconciler => ({
  name: 'project',
  reconcile: async (key): Promise<Outcome> => {
    const ref = refFromKey(key)
    const now = toTimestamp(deps.clock.now())
    const input = await gatherProject(deps.store, ref, now)
    const changes =
      input === undefined
        ? orphanChanges(await secretsOf(deps.store, ref), now)
        : await changesOf(input)
    for (let first = 0; first < changes.length; first += inOneWrite) {
      const some = changes.slice(first, first + inOneWrite)
      await deps.store.write(reconcilerActor, {}, async (tx) => {
        for (const { before, write } of some) {
          const current = await tx.get(refOf(before))
          if (current !== undefined && hasSameInputs(current, before)) await write(tx, current)
        }
      })
    }
    return done
  },
})

interface Change {
  readonly before: KubeObject
  /** Gets the object as it is now. */
  readonly write: (tx: Transaction, current: KubeObject) => Promise<void>
}

const changesOf = async (input: ProjectInput): Promise<Change[]> => {
  const judge = createSecretStatuses(input)
  const all = [
    projectChange(input),
    ...(await mapInTurns(input.secrets, (secret) => secretChange(secret, judge(secret)))),
  ]
  return all.filter((one) => one !== undefined)
}

/** Secrets may come before their project, and stay when it goes. */
const orphanChanges = (secrets: readonly SecretObject[], now: string): Change[] =>
  secrets
    .map((secret) => secretChange(secret, decideOrphan(secret, now)))
    .filter((one) => one !== undefined)

/** Judged again when it is written: its rollout may have written its own part since. */
const projectChange = (input: ProjectInput): Change | undefined => {
  const before = input.project
  if (sameJson(before.status, decideProject(input))) return undefined
  const write = async (tx: Transaction, current: KubeObject): Promise<void> => {
    const project = current as ProjectObject
    await tx.setStatus({ ...project, status: { ...decideProject({ ...input, project }) } })
  }
  return { before, write }
}

const secretChange = (before: SecretObject, status: SecretStatus): Change | undefined =>
  sameJson(before.status, status)
    ? undefined
    : { before, write: (tx, current) => writeSecret(tx, current, status) }

/** `current` has the status that was judged. */
const writeSecret = async (
  tx: Transaction,
  current: KubeObject,
  status: SecretStatus,
): Promise<void> => {
  const after = { ...current, status: { ...status } }
  await tx.setStatus(after)
  const scopeOf = ({ status: of }: KubeObject): ReturnType<typeof findCondition> =>
    findCondition(of?.['conditions'] as Condition[] | undefined, 'ScopeMatched')
  const matched = scopeOf(after)
  if (matched?.status !== 'False' || scopeOf(current)?.status === 'False') return
  const { reason, message } = matched
  await tx.recordEvent({ regarding: after, type: 'Warning', reason, message })
}
