// Places of objects in the order of lists: by namespace and name, each by its bytes.

/** Before every letter, so that namespace `a` comes whole before namespace `a-b`. */
const separator = '\0'

/** Sorts as lists do. */
export const sortedPlaceOf = (namespace: string, name: string): string =>
  `${namespace}${separator}${name}`

/** Of an id: `Kind/namespace/name`. */
export const placeOfId = (id: string): string => split(id).place

/** Places of one kind: `namespace\0name`. */
class Sorted {
  readonly #places: string[] = []
  /** Were added since the last look: sorted in at the next one. */
  #added: string[] = []

  add(place: string): void {
    this.#added.push(place)
  }

  drop(place: string): void {
    this.#sort()
    const index = this.#find(place)
    if (this.#places[index] === place) this.#places.splice(index, 1)
  }

  all(): readonly string[] {
    this.#sort()
    return this.#places
  }

  /** Index of the first that is not before `place`. */
  from(place: string): number {
    this.#sort()
    return this.#find(place)
  }

  #sort(): void {
    const added = this.#added
    if (added.length === 0) return
    this.#added = []
    if (added.length > 100) {
      for (const place of added) this.#places.push(place)
      this.#places.sort()
      return
    }
    for (const place of added) this.#places.splice(this.#find(place), 0, place)
  }

  #find(place: string): number {
    let low = 0
    let high = this.#places.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#places[middle]! < place) low = middle + 1
      else high = middle
    }
    return low
  }
}

interface NamesWanted {
  readonly namespace?: string | undefined
  /** Only what comes after this place. */
  readonly after?: { readonly namespace: string; readonly name: string } | undefined
}

export class SortedNames {
  readonly #kinds = new Map<string, Sorted>()

  add(id: string): void {
    const { kind, place } = split(id)
    let sorted = this.#kinds.get(kind)
    if (sorted === undefined) this.#kinds.set(kind, (sorted = new Sorted()))
    sorted.add(place)
  }

  drop(id: string): void {
    const { kind, place } = split(id)
    this.#kinds.get(kind)?.drop(place)
  }

  /** Ids of a kind, in order. */
  list(kind: string, { namespace, after }: NamesWanted = {}): string[] {
    const sorted = this.#kinds.get(kind)
    if (sorted === undefined) return []
    const all = sorted.all()
    let from = namespace === undefined ? 0 : sorted.from(`${namespace}${separator}`)
    if (after !== undefined) {
      const last = sortedPlaceOf(after.namespace, after.name)
      const index = sorted.from(last)
      from = Math.max(from, all[index] === last ? index + 1 : index)
    }
    const to = namespace === undefined ? all.length : sorted.from(`${namespace}\u0001`)
    return all.slice(from, to).map((place) => `${kind}/${place.replace(separator, '/')}`)
  }
}

const split = (id: string): { kind: string; place: string } => {
  const end = id.indexOf('/')
  return { kind: id.slice(0, end), place: id.slice(end + 1).replace('/', separator) }
}
