// What machines write of many objects goes to the database in one statement: a change that a thousand
// stagelets see costs one round trip for a few hundred of them, and not one for each.
import type { KubeObject } from '../resources/meta.ts'
import type { Queryable } from './sql.ts'
import type { ChangeEvent } from './store.ts'

/** The subselect of putSql, for all rows: the join sees the objects as they were before. */
const putManySql = `
WITH rows AS (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
    $8::text[]) AS r (uid, kind, namespace, name, rv, source, body, type)
), stored AS (
  INSERT INTO objects (uid, kind, namespace, name, rv, source, body)
  SELECT uid, kind, namespace, name, rv, source, body::json FROM rows
  ON CONFLICT (uid) DO UPDATE SET rv = excluded.rv, source = excluded.source, body = excluded.body
)
INSERT INTO changes (rv, type, kind, namespace, name, body, created_at, term, previous)
SELECT r.rv, r.type, r.kind, r.namespace, r.name, r.body::json, $9, $10, o.body
FROM rows r LEFT JOIN objects o ON o.uid = r.uid`

/** Bounds the text of one statement. */
const mostInOne = 250

export interface BufferedPut {
  readonly uid: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly rv: number
  readonly source: string
  readonly body: string
  readonly type: ChangeEvent['type']
}

/**
 * Only for what cannot violate a rule of the database, since a statement of many does not tell which
 * one did: changes of objects that are there, and what the controller names itself.
 */
export const mayWait = (object: KubeObject, type: ChangeEvent['type']): boolean =>
  type === 'MODIFIED' || ['Event', 'Observation'].includes(object.kind)

/** A connection on which each statement comes after what was put before it. */
export const afterPuts = (tx: Queryable, sendPuts: () => void): Queryable => ({
  query: (text, params) => {
    sendPuts()
    return tx.query(text, params)
  },
  exec: (text) => {
    sendPuts()
    return tx.exec(text)
  },
})

export class PutBuffer {
  readonly #puts = new Map<string, BufferedPut>()

  /** False when it has no room for this one: the rest must be sent first. */
  takes({ uid }: BufferedPut): boolean {
    return this.#puts.size < mostInOne && !this.#puts.has(uid)
  }

  add(put: BufferedPut): void {
    this.#puts.set(put.uid, put)
  }

  clear(): void {
    this.#puts.clear()
  }

  /** The statement that stores all that was added; undefined when there is nothing. */
  take(nowMs: number, term: number | null): [string, unknown[]] | undefined {
    const puts = [...this.#puts.values()]
    if (puts.length === 0) return undefined
    this.#puts.clear()
    const column = <K extends keyof BufferedPut>(name: K): BufferedPut[K][] =>
      puts.map((put) => put[name])
    const params = [
      column('uid'),
      column('kind'),
      column('namespace'),
      column('name'),
      column('rv'),
      column('source'),
      column('body'),
      column('type'),
      nowMs,
      term,
    ]
    return [putManySql, params]
  }
}
