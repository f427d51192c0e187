// Rows in memory, found by their id and by terms: what an index of the database would be asked for. An
// overlay holds what a write changes; what it does not hold is as in the table below.

export interface Identified {
  readonly id: string
}

/** Terms under which a row is found besides its id. */
export type TermsOf<R> = (row: R) => readonly string[]

export interface Lookup<R extends Identified> {
  get(id: string): R | undefined
  /** In no order. */
  withTerm(term: string): R[]
  /** The same one by one, for those who need few. */
  each(term: string): Iterable<R>
}

const noIds: readonly string[] = []

/** Which ids have a term. Most terms have one, and a set of one takes as much memory as ten ids. */
class Terms<R> {
  readonly #termsOf: TermsOf<R>
  readonly #ids = new Map<string, string | Set<string>>()

  constructor(termsOf: TermsOf<R>) {
    this.#termsOf = termsOf
  }

  ids(term: string): Iterable<string> {
    const ids = this.#ids.get(term)
    return typeof ids === 'string' ? [ids] : (ids ?? noIds)
  }

  all(): Iterable<string> {
    return this.#ids.keys()
  }

  move(id: string, before: R | undefined, after: R | undefined): void {
    const old = before === undefined ? [] : this.#termsOf(before)
    const now = after === undefined ? [] : this.#termsOf(after)
    for (const term of old) if (!now.includes(term)) this.#drop(term, id)
    for (const term of now) if (!old.includes(term)) this.add(term, id)
  }

  add(term: string, id: string): void {
    const ids = this.#ids.get(term)
    if (ids === undefined) this.#ids.set(term, id)
    else if (typeof ids !== 'string') ids.add(id)
    else if (ids !== id) this.#ids.set(term, new Set([ids, id]))
  }

  #drop(term: string, id: string): void {
    const ids = this.#ids.get(term)
    if (typeof ids === 'string' ? ids === id : ids?.delete(id) === true && ids.size === 0)
      this.#ids.delete(term)
  }
}

export class Table<R extends Identified> implements Lookup<R> {
  readonly #rows = new Map<string, R>()
  readonly #terms: Terms<R>

  constructor(termsOf: TermsOf<R>) {
    this.#terms = new Terms(termsOf)
  }

  get size(): number {
    return this.#rows.size
  }

  get(id: string): R | undefined {
    return this.#rows.get(id)
  }

  withTerm(term: string): R[] {
    const ids = this.#terms.ids(term)
    const rows: R[] = []
    for (const id of ids) rows.push(this.#rows.get(id)!)
    return rows
  }

  *each(term: string): Iterable<R> {
    for (const id of this.#terms.ids(term)) yield this.#rows.get(id)!
  }

  /** Under which rows are found. */
  terms(): Iterable<string> {
    return this.#terms.all()
  }

  rows(): IterableIterator<R> {
    return this.#rows.values()
  }

  /** One that is not here yet, with its terms. */
  load(row: R, terms: readonly string[]): void {
    for (const term of terms) this.#terms.add(term, row.id)
    this.#rows.set(row.id, row)
  }

  /** `row` undefined takes it away. */
  set(id: string, row: R | undefined): void {
    this.#terms.move(id, this.#rows.get(id), row)
    if (row === undefined) this.#rows.delete(id)
    else this.#rows.set(id, row)
  }
}

export class OverlayTable<R extends Identified> implements Lookup<R> {
  readonly #base: Lookup<R>
  readonly #changed = new Map<string, R | undefined>()
  readonly #terms: Terms<R>

  constructor(base: Lookup<R>, termsOf: TermsOf<R>) {
    this.#base = base
    this.#terms = new Terms(termsOf)
  }

  get(id: string): R | undefined {
    return this.#changed.has(id) ? this.#changed.get(id) : this.#base.get(id)
  }

  withTerm(term: string): R[] {
    const below = this.#base.withTerm(term)
    if (this.#changed.size === 0) return below
    const rows = below.filter((row) => !this.#changed.has(row.id))
    for (const id of this.#terms.ids(term)) rows.push(this.#changed.get(id)!)
    return rows
  }

  *each(term: string): Iterable<R> {
    for (const row of this.#base.each(term)) if (!this.#changed.has(row.id)) yield row
    for (const id of this.#terms.ids(term)) yield this.#changed.get(id)!
  }

  set(id: string, row: R | undefined): void {
    this.#terms.move(id, this.#changed.get(id), row)
    this.#changed.set(id, row)
  }

  /** What was set, in the order of its first change. */
  changes(): IterableIterator<[id: string, row: R | undefined]> {
    return this.#changed.entries()
  }
}
