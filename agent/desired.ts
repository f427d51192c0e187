// What the controller wants of this machine: one item for each stagelet, and the opened bundle that
// belongs to it.
//
// INVARIANTS
// - Order is (epoch, revision). An item or bundle older than the one held is refused: nobody can
//   take a machine back to old secrets.
// - An item is handed on only together with the bundle of its very revision; until then the former
//   one stands.
import type { Logger } from '../src/kernel/log.ts'
import type { DesiredStagelet, StreamRequest } from '../src/protocol/messages.ts'
import type { HeldEntry } from './stack-state.ts'

export interface HeldBundle {
  readonly projectUid: string
  readonly stageletUid: string
  readonly epoch: number
  readonly revision: number
  readonly entries: readonly HeldEntry[]
}

export interface DesiredListener {
  want(item: DesiredStagelet, entries: readonly HeldEntry[]): void
  /** The stagelet is no longer this agent's; what runs stays. */
  forget(uid: string): void
}

export interface DesiredState {
  /** False when the bundle is older than the one held; it is dropped then. */
  takeBundle(bundle: HeldBundle): boolean
  takeItem(item: DesiredStagelet): void
  takeAll(items: readonly DesiredStagelet[]): void
  remove(uid: string): void
  /** What the stream request names, so that nothing is sent twice. */
  holds(): StreamRequest['holds']
}

interface Order {
  readonly epoch: number
  readonly revision: number
}
const compare = (a: Order, b: Order): number => a.epoch - b.epoch || a.revision - b.revision

export const createDesiredState = (listener: DesiredListener, log: Logger): DesiredState => {
  const items = new Map<string, DesiredStagelet>()
  /** Items whose bundle has not come yet. */
  const waiting = new Map<string, DesiredStagelet>()
  const bundles = new Map<string, HeldBundle>()

  const handOn = (item: DesiredStagelet, entries: readonly HeldEntry[]): void => {
    waiting.delete(item.uid)
    items.set(item.uid, item)
    listener.want(item, entries)
  }
  const takeItem = (item: DesiredStagelet): void => {
    const held = items.get(item.uid)
    const bundle = bundles.get(item.uid)
    // Letting go needs no secret, and must work whatever became of the project.
    if (item.release !== undefined) {
      handOn(item, bundle?.entries ?? [])
      return
    }
    if (held !== undefined && compare(item, held) < 0) {
      log.warn(
        { stagelet: item.uid, epoch: item.epoch, revision: item.revision, held: held.revision },
        'refused a desired state that is older than the one held',
      )
      return
    }
    if (item.revision === 0) handOn(item, [])
    else if (bundle !== undefined && compare(item, bundle) === 0) handOn(item, bundle.entries)
    else waiting.set(item.uid, item)
  }
  const remove = (uid: string): void => {
    waiting.delete(uid)
    bundles.delete(uid)
    if (items.delete(uid)) listener.forget(uid)
  }

  return {
    takeBundle: (bundle) => {
      const uid = bundle.stageletUid
      const held = bundles.get(uid) ?? items.get(uid)
      if (held !== undefined && compare(bundle, held) < 0) {
        log.warn(
          { stagelet: uid, revision: bundle.revision },
          'refused a bundle that is older than the one held',
        )
        return false
      }
      bundles.set(uid, bundle)
      const item = waiting.get(uid)
      if (item !== undefined && compare(item, bundle) === 0) handOn(item, bundle.entries)
      return true
    },
    takeItem,
    takeAll: (all) => {
      const named = new Set(all.map((item) => item.uid))
      const known = [...items.keys(), ...waiting.keys(), ...bundles.keys()]
      for (const uid of known) if (!named.has(uid)) remove(uid)
      for (const item of all) takeItem(item)
    },
    remove,
    holds: () =>
      [...bundles.values()].map(({ stageletUid, epoch, revision }) => ({
        stageletUid,
        epoch,
        revision,
      })),
  }
}
