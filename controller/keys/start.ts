// Looks after the age of keys: when one becomes due, when a project gets another rule or another key, and once an
// hour, as key services make new versions by themselves.
import { backoffMs } from '../../src/kernel/backoff.ts'
import { createWaker } from '../../src/kernel/waker.ts'
import { ofKind } from '../../src/resources/typed.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import type { ChangeEvent } from '../../src/store/store.ts'
import { pokeAt } from '../follow-store.ts'
import { rotateDueKeys, type KeyRotationDeps } from './rotate-due.ts'

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

export const startKeyRotation = (deps: KeyRotationDeps): { stop(): Promise<void> } => {
  const { clock, log } = deps
  const stopping = new AbortController()
  const { signal } = stopping
  const waker = createWaker(clock, { settleMs, signal })
  const run = async (): Promise<void> => {
    for (let failed = 0; !signal.aborted;) {
      waker.begin()
      let waitMs: number | undefined
      try {
        const { nextAt = Infinity, waits } = await rotateDueKeys(deps)
        failed = waits ? failed + 1 : 0
        if (!waits) waitMs = Math.max(nextAt - clock.now(), leastMs)
      } catch (error) {
        failed += 1
        if (!signal.aborted) log.warn({ err: error }, 'keys that are due cannot be looked after')
      }
      const again = backoff.baseMs / 2 + backoffMs(failed, backoff)
      await waker.rest(Math.min(waitMs ?? again, idleMs))
    }
  }
  const following = pokeAt(deps, signal, waker.poke, concerns)
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all([running, following])
      deps.onKeysDue([])
    },
  }
}
