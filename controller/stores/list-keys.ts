// Names of secrets in a store, for an import: those that the store allows, and no value.
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/resources/typed.ts'
import { matchesKey } from './allowed.ts'
import { Budget } from './budget.ts'
import { Connection, type ConnectionDeps } from './connection.ts'
import { StoreFault, type Listing } from './provider.ts'

export type ListKeys = (store: KubeObject, prefix: string, signal: AbortSignal) => Promise<Listing>

/** Of one listing. */
const mostCalls = 200

/** A credential that is not taken stays so until somebody changes it. */
const reasons = {
  Unauthorized: 'Conflict',
  Throttled: 'TooManyRequests',
  Unavailable: 'ServiceUnavailable',
  Malformed: 'ServiceUnavailable',
} as const

export const keyLister =
  ({ clock, ...deps }: ConnectionDeps & { readonly clock: Clock }): ListKeys =>
  async (store, prefix, signal) => {
    const connection = new Connection(deps)
    const budget = new Budget(clock, mostCalls)
    // Nothing else spends of it.
    budget.hurry(signal)
    const spend = (ending: AbortSignal): Promise<void> => budget.spend(ending)
    try {
      const provider = await connection.provider(store, await connection.keyOf(store), spend)
      const { keys, isCut } = await provider.list(prefix, signal)
      const { allow } = specOf('SecretStore', store)
      const isAllowed = (key: string): boolean =>
        allow?.remote.some((pattern) => matchesKey(pattern, key)) === true
      return { keys: keys.filter(isAllowed), isCut }
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error
      throw new StagelyError(
        reasons[error.kind],
        `store "${store.metadata.name}": ${error.message}`,
      )
    } finally {
      await connection.close()
    }
  }
