// Looks after the age of keys: when one becomes due, when a project gets another rule or another key, and once an
// hour, as key services make new versions by themselves.
import { backoffMs } from '../../src/kernel/backoff.ts'
import { ofKind } from '../../src/kinds/typed.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import { waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'
import { startSingleLoop } from '../../src/runtime/single-loop.ts'
import type { ChangeEvent } from '../../src/store/store.ts'
import { scheduleOn } from '../follow-store.ts'
import { rotateDueKeys, type DueKeysDeps } from './rotate-due.ts'

const idleMs = 3_600_000
const leastMs = 1_000
const settleMs = 200
const backoff = { baseMs: 60_000, capMs: 600_000 }

const inputsOf = (object: ChangeEvent['object'] | undefined): unknown => {
  const project = object && ofKind('Project', object)
  const { keyRotation, keyProvider } = project?.spec ?? {}
  const { rotationDueAt: _, ...keys } = project?.status?.keys ?? {}
  return [keyRotation, keyProvider, keys]
}

/** A new project whose keys follow the controller's rule is due in months. */
const concerns = (change: ChangeEvent): boolean =>
  change.object.kind === 'Project' &&
  change.type !== 'DELETED' &&
  !sameJson(inputsOf(change.previous), inputsOf(change.object))

export const startKeyRotation = (deps: DueKeysDeps): { stop(): Promise<void> } => {
  const { clock, log } = deps
  const following = new AbortController()
  let failed = 0
  const againMs = (): number => {
    failed += 1
    return backoff.baseMs / 2 + backoffMs(failed, backoff)
  }
  const run = async (signal: AbortSignal): Promise<ReconcileOutcome> => {
    try {
      const { nextAt = Infinity, waits } = await rotateDueKeys(deps)
      if (waits) return waitFor(againMs())
      failed = 0
      return waitFor(Math.min(Math.max(nextAt - clock.now(), leastMs), idleMs))
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'keys that are due cannot be looked after')
      return waitFor(againMs())
    }
  }
  const loop = startSingleLoop(deps, { name: 'keys', settleMs, run })
  loop.runNow()
  const followed = scheduleOn(deps, following.signal, loop.schedule, concerns)
  return {
    stop: async () => {
      following.abort()
      await Promise.all([loop.stop(), followed])
      deps.onKeysDue([])
    },
  }
}
