// Status of a project and of its secrets, judged together: one read of the sets serves all.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { refFromKey, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import { done, type Outcome, type Reconciler } from '../../../src/runtime/control-loop.ts'
import { sameJson } from '../../../src/store/canonical.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { decideProject, decideSecrets } from './decide.ts'
import { gatherProject, type ProjectInput } from './gather.ts'

/**
 * Reads and decides outside any transaction, since a project may have thousands of secrets and all
 * writers would wait. What was written meanwhile keeps its status: its own change brings it here again.
 */
export const createProjectReconciler = (deps: { store: Store; clock: Clock }): Reconciler => ({
  name: 'project',
  reconcile: async (key): Promise<Outcome> => {
    const ref = refFromKey(key)
    const input = await gatherProject(deps.store, ref, toTimestamp(deps.clock.now()))
    const changed = input === undefined ? [] : changedBy(input)
    if (changed.length > 0) {
      await deps.store.write({ name: 'reconciler', source: 'system' }, {}, async (tx) => {
        await tx.prefetch(changed.map(({ before }) => refOf(before)))
        for (const change of changed) await writeStatus(tx, change)
      })
    }
    return done
  },
})

interface Change {
  readonly before: KubeObject
  readonly after: KubeObject
}

const changedBy = (input: ProjectInput): Change[] => {
  const statuses = decideSecrets(input)
  const secrets = input.secrets.map((before, i) => ({
    before,
    after: { ...before, status: { ...statuses[i] } },
  }))
  const { project } = input
  const all = [{ before: project, after: { ...project, status: decideProject(input) } }, ...secrets]
  return (all as Change[]).filter(({ before, after }) => !sameJson(before.status, after.status))
}

const writeStatus = async (tx: Transaction, { before, after }: Change): Promise<void> => {
  const current = await tx.get(refOf(before))
  if (current?.metadata.resourceVersion !== before.metadata.resourceVersion) return
  await tx.setStatus(after)
  const scopeOf = ({ status }: KubeObject): ReturnType<typeof findCondition> =>
    findCondition(status?.conditions as Condition[] | undefined, 'ScopeMatched')
  const matched = scopeOf(after)
  if (matched?.status !== 'False' || scopeOf(before)?.status === 'False') return
  const { reason, message } = matched
  await tx.recordEvent({ regarding: after, type: 'Warning', reason, message })
}
