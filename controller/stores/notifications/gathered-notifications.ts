// Notifications that stores send, by the uid of the store. The first asks for a sync at once; those of the next seconds share one sync.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { annotations, refOf, type KubeObject } from '../../../src/resources/meta.ts'
import {
  done,
  noState,
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

/** Notifications of this time share one sync. */
const gatherMs = 5_000

interface WaitingNotification {
  readonly object: KubeObject
  readonly address: string
  /** Undefined: one of the notifications names no key, or they name many. */
  readonly keys: ReadonlySet<string> | undefined
}

const keysOfBoth = (
  { keys: ownKeys }: WaitingNotification,
  { keys: other }: WaitingNotification,
): WaitingNotification['keys'] => {
  if (ownKeys === undefined || other === undefined) return undefined
  const keys = new Set([...ownKeys, ...other])
  return keys.size > 100 ? undefined : keys
}

const actorOf = (object: KubeObject, address: string): Actor => {
  const { namespace, name } = refOf(object)
  return { name: `hook:${namespace}/${name}`, source: 'system', authority: 'whole', address }
}

/** Asks for a sync of the store (by uid): at the first notification, and once for those of the seconds after. */
export const gatherNotifications = (deps: GatherDeps) => {
  const { store, clock } = deps
  const waiting = new Map<string, WaitingNotification>()
  /** Until when a store that was asked for a sync gathers its notifications. */
  const gathers = new Map<string, number>()

  const add = (uid: string, notification: WaitingNotification): void => {
    const before = waiting.get(uid)
    waiting.set(
      uid,
      before === undefined
        ? notification
        : { ...notification, keys: keysOfBoth(before, notification) },
    )
  }
  const ask = ({ object, keys, address }: WaitingNotification): Promise<unknown> =>
    store.write(actorOf(object, address), {}, async (tx) => {
      const current = await tx.get(refOf(object))
      if (current === undefined || current.metadata.uid !== object.metadata.uid) return
      const at = toFineTimestamp(clock.now())
      const text = [`${at} hint`, ...(keys ?? [])].join('\n')
      const texts = { ...current.metadata.annotations, [annotations.refresh]: text }
      await tx.update({ ...current, metadata: { ...current.metadata, annotations: texts } })
    })
  const reconcile = async (uid: string): Promise<ReconcileOutcome> => {
    const restMs = (gathers.get(uid) ?? 0) - clock.now()
    if (restMs > 0) return waitFor(restMs)
    gathers.delete(uid)
    const notification = waiting.get(uid)
    if (notification === undefined) return done
    waiting.delete(uid)
    try {
      await ask(notification)
    } catch (error) {
      add(uid, notification)
      throw error
    }
    gathers.set(uid, clock.now() + gatherMs)
    return waitFor(gatherMs)
  }
  const loop = startControlLoop(deps, {
    name: 'store-hints',
    reconcile,
    notKnown: noState,
  })
  return {
    stop: () => loop.stop(),
    receive: (uid: string, notification: WaitingNotification): void => {
      add(uid, notification)
      loop.enqueue(uid)
    },
  }
}
