// Runs one write on top of the state, and then the steps that end each write.
import { isReason } from '../../kernel/errors.ts'
import type { Actor } from '../core/actor.ts'
import type { DeferredWork } from '../core/deferred-work.ts'
import { internal } from '../core/errors.ts'
import type { WriteOptions } from '../core/write-options.ts'
import { WriteSession, type WriteSessionDeps } from '../core/write-session.ts'
import type { Queryable } from '../drivers/sql.ts'
import { noteSameValue } from '../secrets/separation.ts'
import type { Group } from './group.ts'

/** What a caller asks of the writer. */
export interface WriteRequest {
  readonly actor: Actor
  readonly options: WriteOptions
  readonly deferred: DeferredWork
  readonly work: (session: WriteSession) => Promise<unknown>
}

/** How a write has ended: with a result, or so that it must run again from its beginning. */
export type WriteOutcome = { readonly result: unknown } | 'again'

export interface QueuedWrite extends WriteRequest {
  /** Since when it waits, by the monotonic clock (ms). */
  readonly since: number
  readonly resolve: (outcome: WriteOutcome) => void
  readonly reject: (error: unknown) => void
}

/** Tells the caller how its write has ended; called once the commit is stored. */
export type Answer = () => void

/** Checks or completes a write after the caller's own changes. */
export type LastStep = (session: WriteSession) => void | Promise<void>

export interface RunDeps extends WriteSessionDeps {
  readonly lastSteps: readonly LastStep[]
}

/** Runs a write after the writes of its group. A write that fails leaves nothing in the group. */
export const runWrite = async (
  deps: RunDeps,
  group: Group,
  { actor, options, deferred, work, resolve, reject }: QueuedWrite,
  tx: Queryable | undefined,
): Promise<Answer> => {
  const { overlay, changes, rv, state } = group
  const earlier = { overlay, changes, rv, epoch: state.epoch }
  const own = deferred.isLocked ? tx : undefined
  const session = new WriteSession(deps, { actor, options, deferred, earlier, tx: own })
  try {
    const result = await work(session)
    for (const step of deps.lastSteps) await step(session)
    if (deferred.isWanted) throw new Error('a write went on although something was missing')
    if (!session.isDry) group.add(session, options.term)
    return () => resolve({ result })
  } catch (error) {
    if (deferred.isWanted) return () => resolve('again')
    return () => {
      if (isReason(error, 'SameAsProduction')) noteSameValue(session)
      reject(internal(error))
    }
  }
}
