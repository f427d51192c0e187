// What is gone from the cluster goes from the store, or stays where another secret takes its value from it:
// then somebody must be told, for in the cluster there is nothing left to show it.
import { isReason, StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, type ObjectRef } from '../../src/resources/meta.ts'
import type { Actor, Store } from '../../src/store/store.ts'

export interface Removals {
  /** Removes the stored object; why it stays, told by the log and an Event once, or undefined. */
  remove(ref: ObjectRef): Promise<string | undefined>
}

export const createRemovals = (deps: { store: Store; log: Logger; actor: Actor }): Removals => {
  const { store, log, actor } = deps
  const told = new Map<string, string>()

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
      const before = told.get(keyOf(ref))
      if (why === undefined) told.delete(keyOf(ref))
      else {
        if (why !== before) await tell(ref, why)
        told.set(keyOf(ref), why)
      }
      return why
    },
  }
}
