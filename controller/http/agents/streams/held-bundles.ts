// Which bundles an agent has, as far as its stream knows: (project, epoch, revision), by stagelet.
import {
  bundleKey,
  namedRevisions,
  type DesiredStagelet,
  type StreamRequest,
} from '../../../../src/protocol/messages.ts'

export class HeldBundles {
  readonly #keys = new Map<string, Set<string>>()

  constructor(holds: StreamRequest['holds']) {
    for (const held of holds) this.#of(held.stageletUid).add(bundleKey(held))
  }

  #of(uid: string): Set<string> {
    const keys = this.#keys.get(uid) ?? new Set<string>()
    this.#keys.set(uid, keys)
    return keys
  }

  has(item: DesiredStagelet): boolean {
    return this.#of(item.uid).has(bundleKey(item))
  }

  add(item: DesiredStagelet): void {
    this.#of(item.uid).add(bundleKey(item))
  }

  /** The stagelet has left the agent. */
  drop(uid: string): void {
    this.#keys.delete(uid)
  }

  /** Forgets bundles that the agent drops when it takes this item: all that the item does not name. */
  forgetDropped(item: DesiredStagelet): void {
    if (item.release !== undefined || (item.revision > 0 && !this.has(item))) return
    const kept = namedRevisions(item).map((revision) => bundleKey({ ...item, revision }))
    const held = this.#of(item.uid)
    this.#keys.set(item.uid, new Set(kept.filter((key) => held.has(key))))
  }
}
