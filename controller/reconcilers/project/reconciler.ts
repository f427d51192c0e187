// Status of a project and of its secrets, judged together: one read of the sets serves all.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { mapInTurns } from '../../../src/kernel/in-turns.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { refFromKey, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import { done, type Outcome, type Reconciler } from '../../../src/runtime/control-loop.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { createSecretJudge, decideProject } from './decide.ts'
import { gatherProject, type ProjectInput } from './gather.ts'
import { isSameToJudge } from './same-to-judge.ts'

/** Bounds how long the writers of requests wait for the statuses of a large project. */
const inOneWrite = 50

/**
 * Reads and decides outside any transaction, since a project may have thousands of secrets and all
 * writers would wait. What was written meanwhile keeps its status: its own change brings it here again
 * (a label does not, and is no reason to leave the status).
 */
export const createProjectReconciler = (deps: { store: Store; clock: Clock }): Reconciler => ({
  name: 'project',
  reconcile: async (key): Promise<Outcome> => {
    const ref = refFromKey(key)
    const input = await gatherProject(deps.store, ref, toTimestamp(deps.clock.now()))
    const changed = input === undefined ? [] : await changedBy(input)
    for (let first = 0; first < changed.length; first += inOneWrite) {
      const some = changed.slice(first, first + inOneWrite)
      await deps.store.write({ name: 'reconciler', source: 'system' }, {}, async (tx) => {
        await tx.prefetch(some.map(({ before }) => refOf(before)))
        for (const change of some) await writeStatus(tx, change)
      })
    }
    return done
  },
})

interface Change {
  readonly before: KubeObject
  readonly after: KubeObject
}

const changedBy = async (input: ProjectInput): Promise<Change[]> => {
  const { project, secrets } = input
  const judge = createSecretJudge(input)
  const change = (before: KubeObject, status: object): Change | undefined =>
    sameJson(before.status, status)
      ? undefined
      : { before, after: { ...before, status: { ...status } } }
  const all = [
    change(project, decideProject(input)),
    ...(await mapInTurns(secrets, (secret) => change(secret, judge(secret)))),
  ]
  return all.filter((one) => one !== undefined)
}

const writeStatus = async (tx: Transaction, { before, after }: Change): Promise<void> => {
  const current = await tx.get(refOf(before))
  if (current === undefined || !isSameToJudge(current, before)) return
  await tx.setStatus({ ...current, status: after.status ?? {} })
  const scopeOf = ({ status }: KubeObject): ReturnType<typeof findCondition> =>
    findCondition(status?.conditions as Condition[] | undefined, 'ScopeMatched')
  const matched = scopeOf(after)
  if (matched?.status !== 'False' || scopeOf(before)?.status === 'False') return
  const { reason, message } = matched
  await tx.recordEvent({ regarding: after, type: 'Warning', reason, message })
}
