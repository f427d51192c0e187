// Follows one object, or a list as a table: lists, watches, and lists again when a watch ends.
import { realClock } from '../../src/kernel/clock.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { KindNames } from '../../src/resources/kind-names.ts'
import { asTable, pathOf, type KubeApi, type KubeList } from '../connect/api.ts'
import { maySucceedLater } from '../errors.ts'
import type { ServerTable } from '../output/table.ts'
import { note } from '../print.ts'

export interface FollowRef {
  readonly kind: KindNames
  readonly namespace: string
  readonly name: string
}

export interface Following {
  /** Ends it with an AbortError. */
  readonly signal: AbortSignal
  /** Is told that the server does not answer any more. */
  readonly lost?: (why: string) => void
}

/** What is followed. A function that returns true ends the following. */
interface Followed {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly accept?: string
  readonly listed: (list: unknown) => boolean
  readonly changed: (type: string, object: unknown) => boolean
}

type Done = (object: KubeObject | undefined) => boolean

/**
 * Follows one object until `done` returns true; it gets undefined when the object is gone. Returns the
 * last state. Once the object was read, a server that does not answer is asked again: it may be started
 * anew.
 */
export const followObject = async (
  api: KubeApi,
  { kind, namespace, name }: FollowRef,
  done: Done,
  following: Following,
): Promise<KubeObject | undefined> => {
  let last: KubeObject | undefined
  const take: Done = (object) => done((last = object))
  const followed: Followed = {
    path: pathOf(kind, kind.namespaced ? namespace : undefined),
    query: { fieldSelector: `metadata.name=${name}` },
    listed: (list) => take((list as KubeList).items[0]),
    changed: (type, object) => take(type === 'DELETED' ? undefined : (object as KubeObject)),
  }
  await follow(api, followed, following)
  return last
}

export type Row = ServerTable['rows'][number] & { readonly object: KubeObject }

interface Table extends Omit<ServerTable, 'rows'> {
  readonly rows: readonly Row[]
}

export interface RowEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly row: Row
}

/**
 * Follows the objects of a list, as rows of the server's table, until `signal` aborts. `show` gets each
 * change once, also after a lost connection; first all objects, as added.
 */
export const followTable = async (
  api: KubeApi,
  { path, query }: Pick<Followed, 'path' | 'query'>,
  show: (events: readonly RowEvent[], columns: ServerTable['columnDefinitions']) => void,
  following: Following,
): Promise<void> => {
  const rows = new Map<string, Row>()
  let columns: ServerTable['columnDefinitions'] = null
  const eventsOf = (table: unknown, isDeleted: boolean): RowEvent[] => {
    const { columnDefinitions, rows: read } = table as Table
    columns = columnDefinitions ?? columns
    return read.flatMap((row): RowEvent[] => {
      const { uid = '', resourceVersion } = row.object.metadata
      const before = rows.get(uid)
      if (isDeleted) return rows.delete(uid) ? [{ type: 'DELETED', row }] : []
      rows.set(uid, row)
      if (before?.object.metadata.resourceVersion === resourceVersion) return []
      return [{ type: before === undefined ? 'ADDED' : 'MODIFIED', row }]
    })
  }
  const goneFrom = (table: unknown): RowEvent[] => {
    const present = new Set((table as Table).rows.map((row) => row.object.metadata.uid ?? ''))
    const gone = [...rows].filter(([uid]) => !present.has(uid))
    for (const [uid] of gone) rows.delete(uid)
    return gone.map(([, row]) => ({ type: 'DELETED', row }))
  }
  const followed: Followed = {
    path,
    query: { ...query, includeObject: 'Object' },
    accept: asTable,
    listed: (table) => {
      show([...eventsOf(table, false), ...goneFrom(table)], columns)
      return false
    },
    changed: (type, table) => {
      const events = eventsOf(table, type === 'DELETED')
      if (events.length > 0) show(events, columns)
      return false
    },
  }
  await follow(api, followed, following)
}

const follow = async (
  api: KubeApi,
  followed: Followed,
  { signal: given, lost = (why) => note(`${why}; asking again`) }: Following,
): Promise<void> => {
  const ended = linkedAbort(given)
  const { signal } = ended
  let isRead = false
  let failures = 0
  const read =
    <Args extends unknown[]>(take: (...args: Args) => boolean) =>
    (...args: Args): boolean => {
      isRead = true
      failures = 0
      return take(...args)
    }
  const noted = { ...followed, listed: read(followed.listed), changed: read(followed.changed) }
  try {
    for (;;) {
      try {
        await watchUntil(api, noted, signal)
        return
      } catch (error) {
        signal.throwIfAborted()
        if (!isRead || !maySucceedLater(error)) throw error
        if (failures++ === 0) lost(messageOf(error))
        await realClock.sleep(Math.min(250 * failures, 5_000), signal)
      }
    }
  } finally {
    ended.abort()
  }
}

const watchUntil = async (
  api: KubeApi,
  { path, query, accept, listed, changed }: Followed,
  signal: AbortSignal,
): Promise<void> => {
  let quick = 0
  for (;;) {
    signal.throwIfAborted()
    const list = await api.call(path, { query, signal, ...(accept !== undefined && { accept }) })
    if (listed(list)) return
    const { resourceVersion } = (list as KubeList).metadata
    const since = resourceVersion === undefined ? {} : { resourceVersion }
    const watched = { ...query, ...since, allowWatchBookmarks: 'true' }
    let events = 0
    for await (const { type, object } of api.watch(path, watched, signal, accept)) {
      if (type === 'ERROR') break
      if (type === 'BOOKMARK') continue
      events++
      if (changed(type, object)) return
    }
    signal.throwIfAborted()
    // Slows down for a server that ends each watch at once.
    quick = events === 0 ? quick + 1 : 0
    if (quick > 0) await realClock.sleep(Math.min(100 * quick, 2000), signal)
  }
}
