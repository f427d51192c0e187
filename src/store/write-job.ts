// One write: what a caller asks for, run on the state of a group, and told to the caller when the commit is answered.
import type { Clock } from '../kernel/clock.ts'
import { internal } from './errors.ts'
import type { Group } from './group.ts'
import type { Preparations } from './preparations.ts'
import { finishProjects } from './revisions.ts'
import { WriteSession, type SessionDeps } from './session.ts'
import type { Queryable } from './sql.ts'
import type { Actor, WriteOptions } from './store.ts'
import { checkRemoved } from './values/followers.ts'
import { settlePolicy } from './values/policy.ts'
import { settleReferences } from './values/references.ts'

/** Why a write has to be run once more. */
type Again = 'prepared' | 'in a transaction'

export interface Job {
  readonly actor: Actor
  readonly options: WriteOptions
  readonly preparations: Preparations
  readonly isLocked: boolean
  readonly work: (session: WriteSession) => Promise<unknown>
  readonly resolve: (outcome: { result: unknown } | { again: Again }) => void
  readonly reject: (error: unknown) => void
}

export type Asked = Omit<Job, 'resolve' | 'reject'>

/** Tells the caller how a write has ended; called once the commit is answered. */
export type Settle = () => void

export interface JobDeps extends SessionDeps {
  readonly clock: Clock
}

/** `tx` is given to a job that is in a transaction. */
export const runJob = async (
  deps: JobDeps,
  { group, job, tx }: { group: Group; job: Job; tx: Queryable | undefined },
): Promise<Settle> => {
  const { actor, options, preparations } = job
  const { changeSet, note, term } = options
  const session = new WriteSession({
    ...{ view: group.overlay, before: group.changes, actor, changeSet, note, preparations },
    ...{ epoch: group.state.epoch, rv: group.rv, nowMs: deps.clock.now() },
    ...{ deps, tx: job.isLocked ? tx : undefined },
    ...{ signal: options.review?.signal, isDry: options.dryRun === true },
  })
  try {
    const result = await job.work(session)
    checkRemoved(session, session.removed)
    await settleReferences(session)
    settlePolicy(session)
    await finishProjects(session)
    if (preparations.wanting || session.needsTransaction)
      throw new Error('a write went on without what it needs')
    if (options.dryRun !== true) {
      group.absorb(session)
      group.leader = term ?? group.leader
    }
    return () => job.resolve({ result })
  } catch (error) {
    const again = whyAgain(session, preparations)
    return () => {
      if (again !== undefined) job.resolve({ again })
      else job.reject(internal(error))
    }
  }
}

const whyAgain = (session: WriteSession, preparations: Preparations): Again | undefined => {
  if (session.needsTransaction) return 'in a transaction'
  return preparations.wanting ? 'prepared' : undefined
}
