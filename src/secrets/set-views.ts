// What services see of one set, each computed once: stagelets without secrets of their own see the same.
import { serviceDigest } from './digest.ts'
import { createScopeNames } from './place.ts'
import { visibleTo, type SetEntry } from './visible.ts'

export interface ServiceView {
  readonly visible: readonly SetEntry[]
  /** The label of its containers; undefined when it sees no secret. */
  readonly digest: string | undefined
}

const ownerOf = ({ stagelet = '' }: SetEntry): string => stagelet

export class SetViews {
  readonly entries: readonly SetEntry[]
  /** By the name of the stagelet that they belong to; '' for those of the project. */
  readonly #byOwner: ReadonlyMap<string, SetEntry[]>
  readonly #nameOf: (service: string) => string
  readonly #views = new Map<string, ServiceView>()

  constructor(entries: readonly SetEntry[]) {
    this.entries = entries
    const byOwner = new Map<string, SetEntry[]>()
    for (const entry of entries) {
      const owned = byOwner.get(ownerOf(entry))
      if (owned === undefined) byOwner.set(ownerOf(entry), [entry])
      else owned.push(entry)
    }
    this.#byOwner = byOwner
    this.#nameOf = createScopeNames(entries)
  }

  viewOf(stagelet: string, service: string): ServiceView {
    const own = this.#byOwner.get(stagelet) ?? []
    const name = this.#nameOf(service)
    const id = `${own.length > 0 ? stagelet : ''}/${name}`
    const cached = this.#views.get(id)
    if (cached !== undefined) return cached
    const all = [...(this.#byOwner.get('') ?? []), ...own]
    const visible = visibleTo(name, stagelet, all)
    const view = { visible, digest: serviceDigest(visible) }
    this.#views.set(id, view)
    return view
  }
}

const kept = new WeakMap<readonly SetEntry[], SetViews>()

/** Kept as long as the set itself. */
export const viewsOf = (entries: readonly SetEntry[]): SetViews => {
  let views = kept.get(entries)
  if (views === undefined) {
    views = new SetViews(entries)
    kept.set(entries, views)
  }
  return views
}
