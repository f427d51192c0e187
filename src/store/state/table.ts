// Tables of rows in memory, with an index of terms. An overlay holds the rows that a write changes; all other rows are those
// of the table below.

export interface Identified {
  readonly id: string
}

/** The terms by which the index finds a row. */
export type TermsOf<R> = (row: R) => readonly string[]

/** True only where two rows of one id have the same terms; may be false though they have. */
export type IsSame<R> = (before: R, after: R) => boolean

export interface Lookup<R extends Identified> {
  get(id: string): R | undefined
  /** In no order. */
  withTerm(term: string): R[]
  /** The same one by one, for a caller that needs only a few. */
  each(term: string): Iterable<R>
}

const noIds: readonly string[] = []

/** The ids with each term. Most terms have one id, which is kept without a set: a set takes the memory of ten ids. */
class Terms<R> {
  readonly #termsOf: TermsOf<R>
  readonly #isSame: IsSame<R>
  readonly #ids = new Map<string, string | Set<string>>()

  constructor(termsOf: TermsOf<R>, isSame: IsSame<R> = () => false) {
    this.#termsOf = termsOf
    this.#isSame = isSame
  }

  ids(term: string): Iterable<string> {
    const ids = this.#ids.get(term)
    return typeof ids === 'string' ? [ids] : (ids ?? noIds)
  }

  all(): Iterable<string> {
    return this.#ids.keys()
  }

  move(id: string, before: R | undefined, after: R | undefined): void {
    if (before !== undefined && after !== undefined && this.#isSame(before, after)) return
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

export class IndexedTable<R extends Identified> implements Lookup<R> {
  readonly #rows = new Map<string, R>()
  readonly #terms: Terms<R>

  constructor(termsOf: TermsOf<R>, isSame?: IsSame<R>) {
    this.#terms = new Terms(termsOf, isSame)
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

  /** All terms of the index. */
  terms(): Iterable<string> {
    return this.#terms.all()
  }

  rows(): IterableIterator<R> {
    return this.#rows.values()
  }

  /** Adds a row at the start. */
  load(row: R, terms: readonly string[]): void {
    for (const term of terms) this.#terms.add(term, row.id)
    this.#rows.set(row.id, row)
  }

  /** `row` undefined removes the row. */
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
  /** Changed rows that are not in the index yet: most writes do not use the index. */
  readonly #unindexed = new Map<string, R | undefined>()

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
    for (const id of this.#index().ids(term)) rows.push(this.#changed.get(id)!)
    return rows
  }

  *each(term: string): Iterable<R> {
    for (const row of this.#base.each(term)) if (!this.#changed.has(row.id)) yield row
    for (const id of this.#index().ids(term)) yield this.#changed.get(id)!
  }

  set(id: string, row: R | undefined): void {
    if (!this.#unindexed.has(id)) this.#unindexed.set(id, this.#changed.get(id))
    this.#changed.set(id, row)
  }

  #index(): Terms<R> {
    for (const [id, before] of this.#unindexed) this.#terms.move(id, before, this.#changed.get(id))
    this.#unindexed.clear()
    return this.#terms
  }

  /** The changed rows, in the order of their first changes. */
  changes(): IterableIterator<[id: string, row: R | undefined]> {
    return this.#changed.entries()
  }
}
