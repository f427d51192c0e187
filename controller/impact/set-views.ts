// What services see of one set, each computed once: stagelets without secrets of their own see the same.
import { serviceDigest } from '../../src/secrets/digest.ts'
import { visibleTo, type SetEntry } from '../../src/secrets/visible.ts'

export interface ServiceView {
  readonly visible: readonly SetEntry[]
  /** The label of its containers; undefined when it sees no secret. */
  readonly digest: string | undefined
}

export class SetViews {
  readonly entries: readonly SetEntry[]
  readonly #owners: ReadonlySet<string | undefined>
  readonly #views = new Map<string, ServiceView>()

  constructor(entries: readonly SetEntry[]) {
    this.entries = entries
    this.#owners = new Set(entries.map((entry) => entry.stagelet))
  }

  of(stagelet: string, service: string): ServiceView {
    const id = `${this.#owners.has(stagelet) ? stagelet : ''}/${service}`
    const known = this.#views.get(id)
    if (known !== undefined) return known
    const visible = visibleTo(service, stagelet, this.entries)
    const view = { visible, digest: serviceDigest(visible) }
    this.#views.set(id, view)
    return view
  }
}
