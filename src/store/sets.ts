// Opens the values of sets. The caller audits the opened values.
import { open, valueAad, type SealKey } from '../secrets/aead.ts'
import type { ProjectKeys } from '../secrets/project-keys.ts'
import { createDependencies } from '../secrets/references.ts'
import type { SetEntry } from '../secrets/visible.ts'
import type { DeliveredSet } from './audit-deliveries.ts'
import { setTampered } from './errors.ts'
import { loadRows, toEntry, type SealedRow } from './set-rows.ts'
import type { Queryable } from './sql.ts'
import type { Delivery, OpenedEntry } from './store.ts'
import { resolveEntries } from './values/resolve.ts'

interface WrappedKeys {
  /** The data key with this id, unwrapped. */
  dataKey(id: string): ReturnType<ProjectKeys['dataKey']>
}

/** Reads the wrapped data keys of a project once. */
export const loadDataKeys = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
): Promise<WrappedKeys> => {
  const rows = await q.query<{ id: string; wrapped: string }>(
    'SELECT id, wrapped FROM data_keys WHERE project_uid = $1',
    [projectUid],
  )
  return {
    dataKey: (id) => {
      const row = rows.find((r) => r.id === id)
      if (row === undefined) throw setTampered(projectUid)
      return keys.dataKey(projectUid, row.id, row.wrapped)
    },
  }
}

/** The value of a version. Throws where it was sealed for another place, or with another key. */
export const openSealed = (
  dataKey: SealKey,
  projectUid: string,
  { secretId, key, scope, type, version }: SetEntry,
  sealed: string,
): Buffer => open(dataKey, sealed, valueAad({ projectUid, secretId, key, scope, type, version }))

export const openRow = async (
  dataKeys: WrappedKeys,
  projectUid: string,
  row: SealedRow,
): Promise<Buffer> => {
  const key = await dataKeys.dataKey(row.data_key_id)
  return openSealed(key, projectUid, toEntry(row), row.sealed)
}

export interface Opening {
  readonly choose: (entries: readonly SetEntry[]) => readonly SetEntry[]
  /** References lead to secrets of this stagelet before those of the whole project; undefined: only to the latter. */
  readonly stagelet?: string | undefined
  /** References stay in the values, as they are written. */
  readonly asWritten?: boolean | undefined
}

/**
 * Opens the secrets of the head set that `choose` picks. `read` are all secrets whose values are in the opened ones: the
 * caller audits them.
 */
export const openHead = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  { choose, stagelet, asWritten = false }: Opening,
): Promise<{ opened: OpenedEntry[]; read: SetEntry[] }> => {
  const { rows } = await loadRows(q, keys, projectUid, { revision: 'head', sealed: true })
  const entries = rows.map(toEntry).sort((a, b) => (a.name < b.name ? -1 : 1))
  const picked = new Set(choose(entries).map((entry) => entry.secretId))
  const chosen = entries.filter((entry) => picked.has(entry.secretId))
  const viewerOf = (entry: SetEntry): string | undefined => entry.stagelet ?? stagelet
  const viewers = [...new Set(chosen.map(viewerOf))]
  const needed = new Set(chosen.map((entry) => entry.secretId))
  for (const viewer of asWritten ? [] : viewers) {
    const reach = createDependencies(entries, viewer)
    for (const entry of chosen.filter((one) => viewerOf(one) === viewer))
      for (const { secretId } of reach(entry)) needed.add(secretId)
  }
  const sealed = rows.filter((row) => needed.has(row.secret_uid))
  const values = await openRows(q, keys, projectUid, sealed)
  const opened = viewers.flatMap((viewer) => {
    const all = asWritten ? values : resolveEntries(projectUid, values, viewer)
    return all.filter((one) => picked.has(one.secretId) && viewerOf(one) === viewer)
  })
  return {
    opened: opened.sort((a, b) => (a.name < b.name ? -1 : 1)),
    read: entries.filter((entry) => needed.has(entry.secretId)),
  }
}

const openRows = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  rows: readonly SealedRow[],
): Promise<OpenedEntry[]> => {
  const dataKeys = await loadDataKeys(q, keys, projectUid)
  return Promise.all(
    rows.map(async (row) => ({ ...toEntry(row), value: await openRow(dataKeys, projectUid, row) })),
  )
}

/** Store.openSet() for several stagelets at once. The audit rows are committed first: no audit, no value. */
export const openSets = async (
  q: Queryable,
  keys: ProjectKeys,
  what: {
    readonly projectUid: string
    readonly revision: number
    readonly audit: (set: DeliveredSet) => Promise<void>
  },
  deliveries: readonly Delivery[],
): Promise<OpenedEntry[][]> => {
  const { projectUid, revision, audit } = what
  const { head, rows } = await loadRows(q, keys, projectUid, { revision, sealed: true })
  const { namespace, epoch } = head
  await audit({ projectUid, namespace, epoch, revision })
  const names = deliveries.map(({ stagelet }) => stagelet)
  if (rows.length === 0) return deliveries.map(() => [])
  const viewers = new Set<string | null>([null, ...names])
  const seen = rows.filter((row) => viewers.has(row.stagelet))
  const opened = await openRows(q, keys, projectUid, seen)
  return names.map((name) => {
    const mine = opened.filter(({ stagelet }) => stagelet === undefined || stagelet === name)
    return resolveEntries(projectUid, mine, name)
  })
}
