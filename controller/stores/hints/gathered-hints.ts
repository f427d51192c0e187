// Hints that stores send, each store by its uid: they ask for a look at once, and those of the next seconds for one together.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { annotations, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import {
  done,
  startControlLoop,
  waitFor,
  type ReconcileOutcome,
} from '../../../src/runtime/control-loop.ts'
import type { Actor, Store } from '../../../src/store/store.ts'

interface GatherDeps {
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
  readonly log: Logger
}

/** Hints that come together start one look. */
const gatherMs = 5_000

export interface WaitingHint {
  readonly object: KubeObject
  readonly address: string
  /** Undefined: one of the hints names no key, or they name many. */
  readonly keys: ReadonlySet<string> | undefined
}

const keysOfBoth = (
  { keys: hintedKeys }: WaitingHint,
  { keys: other }: WaitingHint,
): WaitingHint['keys'] => {
  if (hintedKeys === undefined || other === undefined) return undefined
  const keys = new Set([...hintedKeys, ...other])
  return keys.size > 100 ? undefined : keys
}

const actorOf = (object: KubeObject, address: string): Actor => {
  const { namespace, name } = refOf(object)
  return { name: `hook:${namespace}/${name}`, source: 'system', address }
}

/** Asks for the look at a store (by uid) that its hints want: at once, and for what comes in the seconds after that together. */
export const gatherHints = (deps: GatherDeps) => {
  const { store, clock } = deps
  const waiting = new Map<string, WaitingHint>()
  /** Until when a store that was asked for a look gathers its hints. */
  const gathers = new Map<string, number>()

  const add = (uid: string, hint: WaitingHint): void => {
    const before = waiting.get(uid)
    waiting.set(uid, before === undefined ? hint : { ...hint, keys: keysOfBoth(before, hint) })
  }
  const ask = ({ object, keys, address }: WaitingHint): Promise<unknown> =>
    store.write(actorOf(object, address), {}, async (tx) => {
      const current = await tx.get(refOf(object))
      if (current === undefined || current.metadata.uid !== object.metadata.uid) return
      const at = new Date(clock.now()).toISOString()
      const text = [`${at} hint`, ...(keys ?? [])].join('\n')
      const texts = { ...current.metadata.annotations, [annotations.refresh]: text }
      await tx.update({ ...current, metadata: { ...current.metadata, annotations: texts } })
    })
  const reconcile = async (uid: string): Promise<ReconcileOutcome> => {
    const restMs = (gathers.get(uid) ?? 0) - clock.now()
    if (restMs > 0) return waitFor(restMs)
    gathers.delete(uid)
    const hint = waiting.get(uid)
    if (hint === undefined) return done
    waiting.delete(uid)
    try {
      await ask(hint)
    } catch (error) {
      add(uid, hint)
      throw error
    }
    gathers.set(uid, clock.now() + gatherMs)
    return waitFor(gatherMs)
  }
  const loop = startControlLoop(deps, { name: 'store-hints', reconcile })
  return {
    stop: () => loop.stop(),
    heed: (uid: string, hint: WaitingHint): void => {
      add(uid, hint)
      loop.enqueue(uid)
    },
  }
}
