// Removes from the store what was deleted in the cluster. A secret that other secrets refer to cannot
// be removed. Then a log line and an Event say so, because the cluster no longer has an object that
// could show it.
import { isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, type ObjectRef } from '../../src/resources/meta.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { recordFaults } from '../sources/report-faults.ts'

export interface Removals {
  /**
   * Removes the stored object. Returns why it could not be removed; undefined: removed. The reason is
   * reported once, by log and Event.
   */
  remove(ref: ObjectRef): Promise<string | undefined>
}

export const createRemovals = (deps: {
  readonly store: Store
  readonly log: Logger
  readonly actor: Actor
}): Removals => {
  const { store, log, actor } = deps
  const reported = new Map<string, string>()
  return {
    remove: async (ref) => {
      const key = keyOf(ref)
      try {
        await store.write(actor, {}, (tx) => tx.remove(ref))
      } catch (error) {
        if (isReason(error, 'Conflict')) {
          const message = `it is gone from the cluster, and stays here: ${error.message}`
          if (reported.get(key) === message) return message
          log.warn({ object: key, reason: message }, 'an object of the cluster cannot be removed')
          await recordFaults(deps, 'NotRemoved', [{ key, message }])
          reported.set(key, message)
          return message
        }
        if (!isReason(error, 'NotFound')) throw error
      }
      reported.delete(key)
      return undefined
    },
  }
}
