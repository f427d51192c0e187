// Requests for access that time, people or policies bring to another state: each is judged anew when something changes, and
// when its time has come. Rotations that follow from a use are started in the same write.
import { earliest } from '../src/kernel/earliest.ts'
import type { Clock } from '../src/kernel/clock.ts'
import type { Logger } from '../src/kernel/log.ts'
import { isOver } from '../src/kinds/access-request/state.ts'
import { refOf, type KubeObject } from '../src/resources/meta.ts'
import { statusOf } from '../src/kinds/typed.ts'
import { isUnreviewed } from '../src/store/objects/glass.ts'
import { waitFor, type ReconcileOutcome } from '../src/runtime/control-loop.ts'
import { startSingleLoop } from '../src/runtime/single-loop.ts'
import type { PrincipalStore } from '../src/store/people/principals.ts'
import type { Store } from '../src/store/store.ts'
import { scheduleOn } from './follow-store.ts'
import { reconcilerActor } from './reconcilers/actor.ts'

interface AccessLoopDeps {
  readonly store: Store
  readonly principals: Pick<PrincipalStore, 'onChange'>
  readonly clock: Clock
  readonly log: Logger
}

const settleMs = 50
/** Least time (ms) between two looks that only time starts. */
const leastMs = 200
/** Longest timer (ms): the clock may be set while it runs. */
const mostMs = 3_600_000
const retryMs = 10_000

const mayChange = (request: KubeObject): boolean =>
  !isOver(statusOf('AccessRequest', request).state ?? 'Pending') || isUnreviewed(request)

export const startAccessRequests = (deps: AccessLoopDeps): { stop(): Promise<void> } => {
  const { store, principals, clock, log } = deps
  const stopping = new AbortController()
  const settleAll = async (): Promise<number | undefined> => {
    for (const policy of (await store.list('AccessPolicy')).items)
      await store.write(reconcilerActor, {}, (tx) => tx.settlePolicy(refOf(policy)))
    let nextAt: number | undefined
    for (const request of (await store.list('AccessRequest')).items.filter(mayChange)) {
      const at = await store.write(reconcilerActor, {}, (tx) => tx.settleAccess(refOf(request)))
      nextAt = earliest(nextAt, at)
    }
    return nextAt
  }
  const run = async (signal: AbortSignal): Promise<ReconcileOutcome> => {
    try {
      const nextAt = await settleAll()
      return waitFor(Math.min(Math.max((nextAt ?? Infinity) - clock.now(), leastMs), mostMs))
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'requests for access are not looked after')
      return waitFor(retryMs)
    }
  }
  const loop = startSingleLoop(deps, { name: 'access-requests', settleMs, run })
  const stopListening = principals.onChange(loop.schedule)
  const following = scheduleOn(deps, stopping.signal, loop.schedule, ({ object }) =>
    ['AccessPolicy', 'AccessRequest', 'Notifier'].includes(object.kind),
  )
  return {
    stop: async () => {
      stopping.abort()
      stopListening()
      await Promise.all([loop.stop(), following])
    },
  }
}
