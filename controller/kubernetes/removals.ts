// Removes from the store what was deleted in the cluster. A secret that other secrets refer to cannot
// be removed. Then a log line and an Event say so, because the cluster no longer has an object that
// could show it.
import { isReason, StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, type ObjectRef } from '../../src/resources/meta.ts'
import type { Actor, Store } from '../../src/store/store.ts'

export interface Removals {
  /**
   * Removes the stored object. Returns why it could not be removed; undefined: removed. The reason is
   * reported once, by log and Event.
   */
  remove(ref: ObjectRef): Promise<string | undefined>
}

export const createRemovals = (deps: { store: Store; log: Logger; actor: Actor }): Removals => {
  const { store, log, actor } = deps
  const reasons = new Map<string, string>()

  const attempt = async (ref: ObjectRef): Promise<string | undefined> => {
    try {
      await store.write(actor, {}, (tx) => tx.remove(ref))
    } catch (error) {
      if (error instanceof StagelyError && error.reason === 'Conflict')
        return `it is gone from the cluster, and stays here: ${error.message}`
      if (!isReason(error, 'NotFound')) throw error
    }
    return undefined
  }

  const tell = async (ref: ObjectRef, message: string): Promise<void> => {
    log.warn({ object: keyOf(ref), reason: message }, 'an object of the cluster cannot be removed')
    await store.write(actor, {}, async (tx) => {
      const regarding = await tx.get(ref)
      if (regarding === undefined) return
      await tx.recordEvent({ regarding, type: 'Warning', reason: 'NotRemoved', message })
    })
  }

  return {
    remove: async (ref) => {
      const why = await attempt(ref)
      const before = reasons.get(keyOf(ref))
      if (why === undefined) reasons.delete(keyOf(ref))
      else {
        if (why !== before) await tell(ref, why)
        reasons.set(keyOf(ref), why)
      }
      return why
    },
  }
}
