// The newest changes in memory: for watchers, and to find an object as it was at one of these versions.
import { keyOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { expired } from '../core/errors.ts'
import type { LoggedChange } from '../core/change-event.ts'
import type { StoreState } from '../state/state.ts'

/** Changes in memory for watchers. A watcher that is further behind reads the log. */
const ringSize = 4_096

/** Kinds that decide where other objects count. */
const isDeciding = ({ id }: LoggedChange): boolean =>
  id.startsWith('Stagelet/') || id.startsWith('Project/')

export class Ring {
  /** All changes after this version are in the ring. */
  floor: number
  #changes: LoggedChange[] = []
  /** By id, in order. */
  readonly #deciding = new Map<string, LoggedChange[]>()

  constructor(floor: number) {
    this.floor = floor
  }

  push(changes: readonly LoggedChange[]): void {
    for (const change of changes) {
      this.#changes.push(change)
      if (!isDeciding(change)) continue
      const own = this.#deciding.get(change.id)
      if (own === undefined) this.#deciding.set(change.id, [change])
      else own.push(change)
    }
    if (this.#changes.length <= ringSize * 2) return
    const dropped = this.#changes.splice(0, this.#changes.length - ringSize)
    this.floor = dropped.at(-1)?.resourceVersion ?? this.floor
    for (const change of dropped.filter(isDeciding)) {
      const own = this.#deciding.get(change.id) ?? []
      own.shift()
      if (own.length === 0) this.#deciding.delete(change.id)
    }
  }

  after(position: number): LoggedChange[] {
    let low = 0
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#changes[middle]!.resourceVersion <= position) low = middle + 1
      else high = middle
    }
    return this.#changes.slice(low)
  }

  /**
   * Finds stagelets and projects as they were at the version: the first change of one after it tells that. `state` is of
   * now. Expired for a version before the ring.
   */
  finderAt(version: number, state: StoreState): (ref: ObjectRef) => KubeObject | undefined {
    if (version < this.floor) throw expired(version, this.floor)
    return (ref) => {
      const id = keyOf(ref)
      const later = this.#deciding.get(id)?.find((change) => change.resourceVersion > version)
      return later === undefined ? state.objects.get(id)?.object : later.previous
    }
  }
}
