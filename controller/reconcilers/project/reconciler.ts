// Status of a project and of its secrets, judged together: one read of the sets serves all.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { refFromKey } from '../../../src/resources/meta.ts'
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import { done, type Outcome, type Reconciler } from '../../../src/runtime/control-loop.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { decideProject, decideSecrets } from './decide.ts'
import { gatherProject, type SecretObject } from './gather.ts'

export const createProjectReconciler = (deps: { store: Store; clock: Clock }): Reconciler => ({
  name: 'project',
  reconcile: async (key): Promise<Outcome> => {
    const ref = refFromKey(key)
    await deps.store.write({ name: 'reconciler', source: 'system' }, {}, async (tx) => {
      const input = await gatherProject(tx, ref, toTimestamp(deps.clock.now()))
      if (input === undefined) return
      await tx.setStatus({ ...input.project, status: decideProject(input) })
      for (const [index, status] of decideSecrets(input).entries()) {
        await writeSecret(tx, input.secrets[index]!, status)
      }
    })
    return done
  },
})

const writeSecret = async (
  tx: Transaction,
  secret: SecretObject,
  status: SecretStatus,
): Promise<void> => {
  const before = findCondition(secret.status?.conditions, 'ScopeMatched')
  const after = findCondition(status.conditions, 'ScopeMatched')
  await tx.setStatus({ ...secret, status })
  if (after?.status === 'False' && before?.status !== 'False') {
    await tx.recordEvent({
      regarding: secret,
      type: 'Warning',
      reason: after.reason,
      message: after.message,
    })
  }
}
