// Names of secrets in a store, for an import: those that the store allows, and no value. The calls are those of the store's
// own budget.
import { StagelyError } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { Actor } from '../../src/store/store.ts'
import { matchesKey } from './allowed.ts'
import { defaultCalls, type Budgets } from './budgets.ts'
import { StoreConnection, type ConnectionDeps } from './connection.ts'
import { StoreFault, type KeyListing } from './provider.ts'

/** `actor` asks for it: the audit names them. */
export type ListKeys = (
  store: KubeObject,
  asked: { readonly prefix: string; readonly actor: Actor },
  signal: AbortSignal,
) => Promise<KeyListing>

/** A credential that is not taken stays so until somebody changes it. */
const reasons = {
  Unauthorized: 'Conflict',
  Throttled: 'TooManyRequests',
  Unavailable: 'ServiceUnavailable',
  Malformed: 'ServiceUnavailable',
} as const

const busy = (name: string): StagelyError =>
  new StagelyError(
    'TooManyRequests',
    `somebody lists the keys of store "${name}" just now: its calls a minute (spec.refresh.maxCallsPerMinute) are not for two listings`,
    { retryAfterSeconds: 5 },
  )

export const keyLister = ({
  budgets,
  ...deps
}: Omit<ConnectionDeps, 'actor'> & { readonly budgets: Budgets }): ListKeys => {
  /** Stores (by uid) that are listed. */
  const listed = new Set<string>()
  return async (store, { prefix, actor }, signal) => {
    const { name, uid = '' } = store.metadata
    if (listed.has(uid)) throw busy(name)
    listed.add(uid)
    const connection = new StoreConnection({ ...deps, actor })
    const { budget, release } = budgets.take(uid)
    const { allow, refresh } = specOf('SecretStore', store)
    budget.most = refresh?.maxCallsPerMinute ?? defaultCalls
    // Somebody waits: it goes before the looks, which keep a tenth of each minute.
    budget.hurry(signal)
    const spend = (ending: AbortSignal): Promise<void> => budget.spend(ending)
    try {
      const provider = await connection.provider(store, await connection.keyOf(store), spend)
      const { keys, isCut } = await provider.list(prefix, signal)
      const isAllowed = (key: string): boolean =>
        allow?.remote.some((pattern) => matchesKey(pattern, key)) === true
      return { keys: keys.filter(isAllowed), isCut }
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error
      throw new StagelyError(reasons[error.kind], `store "${name}": ${error.message}`)
    } finally {
      listed.delete(uid)
      release()
      await connection.close()
    }
  }
}
