// What a write has read: nothing is read twice.
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import type { Queryable } from './sql.ts'

/** An object as stored. Never changed in place: writes put a new one. */
export interface StoredRow {
  readonly uid: string
  readonly rv: number
  readonly source: string
  /** What is stored. */
  readonly text: string
  readonly object: KubeObject
}

/**
 * In the order of their names. Not by the database: to have them sorted it prefers to read all of a
 * namespace by the index of names to the few rows that an index of the condition knows.
 */
export const byName = (rows: readonly StoredRow[]): StoredRow[] =>
  [...rows].sort((a, b) => (a.object.metadata.name < b.object.metadata.name ? -1 : 1))

interface BodyRow {
  uid: string
  rv: number
  source: string
  body: string
}

const toStored = (row: BodyRow): StoredRow => ({
  uid: row.uid,
  rv: row.rv,
  source: row.source,
  text: row.body,
  object: JSON.parse(row.body) as KubeObject,
})

export class SessionReads {
  readonly tx: Queryable
  readonly #rows: Map<string, StoredRow | undefined>
  /** Answers that stay true until the write sends something. */
  readonly #answers: Map<string, Promise<unknown[]>>

  /** `ahead` is what was read for it already. */
  constructor(tx: Queryable, ahead?: SessionReads) {
    this.tx = tx
    this.#rows = new Map(ahead === undefined ? [] : ahead.#rows)
    this.#answers = new Map(ahead === undefined ? [] : ahead.#answers)
  }

  /** Reads what nobody but this write changes: asked twice, it is read once. */
  read<R>(text: string, params: readonly unknown[]): Promise<R[]> {
    const key = JSON.stringify([text, params])
    let answer = this.#answers.get(key)
    if (answer === undefined) {
      answer = this.tx.query(text, params)
      this.#answers.set(key, answer)
    }
    return answer as Promise<R[]>
  }

  async fetch(ref: ObjectRef): Promise<StoredRow | undefined> {
    const key = keyOf(ref)
    if (this.#rows.has(key)) return this.#rows.get(key)
    const [row] = await this.tx.query<BodyRow>(
      'SELECT uid, rv, source, body FROM objects WHERE kind = $1 AND namespace = $2 AND name = $3',
      [ref.kind, ref.namespace, ref.name],
    )
    const stored = row === undefined ? undefined : toStored(row)
    this.#rows.set(key, stored)
    return stored
  }

  /** What was fetched or put before; undefined as well for what nobody asked for yet. */
  known(ref: ObjectRef): StoredRow | undefined {
    return this.#rows.get(keyOf(ref))
  }

  /** Fetches several at once; later fetches of them cost nothing. */
  async prefetch(refs: readonly ObjectRef[]): Promise<void> {
    const wanted = refs.filter((ref) => !this.#rows.has(keyOf(ref)))
    if (wanted.length === 0) return
    for (const ref of wanted) this.#rows.set(keyOf(ref), undefined)
    await this.select(
      `SELECT o.uid, o.rv, o.source, o.body FROM objects o
       JOIN unnest($1::text[], $2::text[], $3::text[]) AS w (kind, namespace, name) USING (kind, namespace, name)`,
      [wanted.map((r) => r.kind), wanted.map((r) => r.namespace), wanted.map((r) => r.name)],
    )
  }

  /** Rows of `SELECT uid, rv, source, body …`. */
  async select(text: string, params: readonly unknown[]): Promise<StoredRow[]> {
    const rows = (await this.read<BodyRow>(text, params)).map(toStored)
    for (const row of rows) this.#rows.set(keyOf(refOf(row.object)), row)
    return rows
  }

  /** What is stored there from now on. */
  protected note(ref: ObjectRef, row: StoredRow | undefined): void {
    this.#rows.set(keyOf(ref), row)
  }

  /** Something is sent that may change them. */
  protected forgetAnswers(): void {
    this.#answers.clear()
  }
}
