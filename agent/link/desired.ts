// The desired state of this machine: one item for each stagelet, with the decrypted bundle that belongs to it.
//
// INVARIANTS
// - Items are ordered by (epoch, order). An older one than the agent has is refused, so that nobody can bring a machine
//   back to older secrets with a recorded one.
// - An item is passed on only with the bundle of its own revision; until that comes the last item stands. The bundles of
//   the revisions to go back to are passed on with it, where the agent has them.
import type { Logger } from '../../src/kernel/log.ts'
import {
  bundleKey,
  namedRevisions,
  type DesiredStagelet,
  type StreamRequest,
} from '../../src/protocol/messages.ts'
import { limits } from '../../src/resources/limits.ts'
import type { OpenedSecret } from '../state/stack-target.ts'

export interface HeldBundle {
  readonly projectUid: string
  readonly stageletUid: string
  readonly epoch: number
  readonly revision: number
  readonly entries: readonly OpenedSecret[]
}

export interface DesiredListener {
  /** `healthy` and `previous`: the secrets to go back to where `entries` fail; undefined where there are none. */
  setDesired(
    item: DesiredStagelet,
    entries: readonly OpenedSecret[],
    healthy: readonly OpenedSecret[] | undefined,
    previous: readonly OpenedSecret[] | undefined,
  ): void
  /** The stagelet is no longer this agent's. Its containers stay. */
  forget(uid: string): void
  /** The agent has these stagelets and no others. */
  only?(uids: ReadonlySet<string>): void
}

export interface DesiredState {
  /** Keeps the bundle until an item is passed on that does not name it. */
  takeBundle(bundle: HeldBundle): void
  takeItem(item: DesiredStagelet): void
  takeAll(items: readonly DesiredStagelet[]): void
  remove(uid: string): void
  /** The bundles that the agent has, for the stream request, so that none is sent twice. As many as that may name. */
  holds(): StreamRequest['holds']
}

const compare = (a: DesiredStagelet, b: DesiredStagelet): number =>
  a.epoch - b.epoch || a.order - b.order

/** The bundles of all stagelets, by (project, epoch, revision). */
class Bundles {
  readonly #byUid = new Map<string, Map<string, HeldBundle>>()

  put(bundle: HeldBundle): void {
    const own = this.#byUid.get(bundle.stageletUid) ?? new Map<string, HeldBundle>()
    this.#byUid.set(bundle.stageletUid, own.set(bundleKey(bundle), bundle))
  }

  /** Revision 0 has no secrets. */
  entriesOf(
    item: DesiredStagelet,
    revision: number | undefined,
  ): readonly OpenedSecret[] | undefined {
    if (revision === undefined) return undefined
    if (revision === 0) return []
    return this.#byUid.get(item.uid)?.get(bundleKey({ ...item, revision }))?.entries
  }

  /** Drops the bundles that the item does not name. */
  keepFor(item: DesiredStagelet): void {
    const named = namedRevisions(item).map((revision) => bundleKey({ ...item, revision }))
    const own = this.#byUid.get(item.uid)
    for (const key of own?.keys() ?? []) if (!named.includes(key)) own?.delete(key)
  }

  drop(uid: string): void {
    this.#byUid.delete(uid)
  }

  uids(): IterableIterator<string> {
    return this.#byUid.keys()
  }

  all(): HeldBundle[] {
    return [...this.#byUid.values()].flatMap((own) => [...own.values()])
  }
}

export const createDesiredState = (listener: DesiredListener, log: Logger): DesiredState => {
  const items = new Map<string, DesiredStagelet>()
  /** Items whose bundle has not come yet. */
  const waiting = new Map<string, DesiredStagelet>()
  const bundles = new Bundles()

  const handOn = (item: DesiredStagelet, entries: readonly OpenedSecret[]): void => {
    waiting.delete(item.uid)
    items.set(item.uid, item)
    const healthy = bundles.entriesOf(item, item.healthyRevision)
    listener.setDesired(item, entries, healthy, bundles.entriesOf(item, item.previousRevision))
  }
  const takeItem = (item: DesiredStagelet): void => {
    const held = items.get(item.uid)
    // A release needs no secret, and must work also where the project is gone.
    if (item.release !== undefined) {
      handOn(item, held === undefined ? [] : (bundles.entriesOf(held, held.revision) ?? []))
      return
    }
    if (held !== undefined && compare(item, held) < 0) {
      log.warn(
        { stagelet: item.uid, epoch: item.epoch, order: item.order, held: held.order },
        'refused a desired state that is older than the one held',
      )
      return
    }
    const entries = bundles.entriesOf(item, item.revision)
    if (entries === undefined) {
      waiting.set(item.uid, item)
      return
    }
    handOn(item, entries)
    bundles.keepFor(item)
  }
  const remove = (uid: string): void => {
    waiting.delete(uid)
    bundles.drop(uid)
    if (items.delete(uid)) listener.forget(uid)
  }

  return {
    takeBundle: (bundle) => {
      bundles.put(bundle)
      const item = waiting.get(bundle.stageletUid)
      if (item === undefined || bundleKey(item) !== bundleKey(bundle)) return
      handOn(item, bundle.entries)
      bundles.keepFor(item)
    },
    takeItem,
    takeAll: (all) => {
      const named = new Set(all.map((item) => item.uid))
      const uids = [...items.keys(), ...waiting.keys(), ...bundles.uids()]
      for (const uid of uids) if (!named.has(uid)) remove(uid)
      listener.only?.(named)
      for (const item of all) takeItem(item)
    },
    remove,
    holds: () =>
      bundles
        .all()
        .slice(0, limits.holds)
        .map(({ entries: _, ...held }) => held),
  }
}
