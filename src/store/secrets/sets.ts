// Opens the values of sets. The caller audits the opened values.
import { open, valueAad, type SealKey } from '../../secrets/aead.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import { createDependencies } from '../../secrets/references.ts'
import type { SetEntry } from '../../secrets/visible.ts'
import { setTampered } from '../core/errors.ts'
import { loadRows, type LoadedSet } from './set-rows.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { Delivery } from '../core/actor.ts'
import type { OpenedEntry } from '../core/sets.ts'
import { resolveEntries } from './resolve.ts'

/** The value of a version. Throws where it was sealed for another place, or with another key. */
export const openSealed = (
  dataKey: SealKey,
  projectUid: string,
  { secretId, key, scope, type, version }: SetEntry,
  sealed: string,
): Buffer => open(dataKey, sealed, valueAad({ projectUid, secretId, key, scope, type, version }))

export interface HeadSelection {
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
  { choose, stagelet, asWritten = false }: HeadSelection,
): Promise<{ opened: OpenedEntry[]; read: SetEntry[] }> => {
  const { head, members } = await loadRows(q, keys, projectUid, { revision: 'head', sealed: true })
  const entries = members.map(({ entry }) => entry).sort((a, b) => (a.name < b.name ? -1 : 1))
  const picked = new Set(choose(entries).map((entry) => entry.secretId))
  const chosen = entries.filter((entry) => picked.has(entry.secretId))
  const viewerOf = (entry: SetEntry): string | undefined => entry.stagelet ?? stagelet
  const viewers = [...new Set(chosen.map(viewerOf))]
  const needed = new Set(chosen.map((entry) => entry.secretId))
  for (const viewer of asWritten ? [] : viewers) {
    const reach = createDependencies(entries, viewer)
    for (const entry of chosen.filter((other) => viewerOf(other) === viewer))
      for (const { secretId } of reach(entry)) needed.add(secretId)
  }
  const sealed = members.filter(({ entry }) => needed.has(entry.secretId))
  const values = await openMembers(keys, projectUid, { head, members: sealed })
  const opened = viewers.flatMap((viewer) => {
    const all = asWritten ? values : resolveEntries(projectUid, values, viewer)
    return all.filter((secret) => picked.has(secret.secretId) && viewerOf(secret) === viewer)
  })
  return {
    opened: opened.sort((a, b) => (a.name < b.name ? -1 : 1)),
    read: entries.filter((entry) => needed.has(entry.secretId)),
  }
}

const openMembers = async (
  keys: ProjectKeys,
  projectUid: string,
  { head, members }: LoadedSet,
): Promise<OpenedEntry[]> => {
  const dataKeys = JSON.parse(head.data_keys ?? '{}') as Readonly<Record<string, string>>
  const opened: OpenedEntry[] = []
  let key: SealKey | undefined
  for (const { entry, row } of members) {
    if (key?.id !== row.data_key_id) {
      const wrapped = dataKeys[row.data_key_id]
      if (wrapped === undefined) throw setTampered(projectUid)
      key = await keys.dataKey(projectUid, row.data_key_id, wrapped)
    }
    opened.push({ ...entry, value: openSealed(key, projectUid, entry, row.sealed) })
  }
  return opened
}

export interface DeliveredSet {
  readonly projectUid: string
  readonly namespace: string
  readonly epoch: number
  readonly revision: number
}

/** Store.openSet() for several stagelets at once. The audit rows are committed first: no audit, no value. */
export const openSets = async (
  q: Queryable,
  keys: ProjectKeys,
  deliveries: readonly Delivery[],
  {
    projectUid,
    revision,
    audit,
  }: {
    readonly projectUid: string
    readonly revision: number
    readonly audit: (set: DeliveredSet) => Promise<void>
  },
): Promise<OpenedEntry[][]> => {
  const { head, members } = await loadRows(q, keys, projectUid, { revision, sealed: true })
  const { namespace, epoch } = head
  await audit({ projectUid, namespace, epoch, revision })
  const names = deliveries.map(({ stagelet }) => stagelet)
  if (members.length === 0) return deliveries.map(() => [])
  const viewers = new Set<string | null>([null, ...names])
  const visible = members.filter(({ row }) => viewers.has(row.stagelet))
  const opened = await openMembers(keys, projectUid, { head, members: visible })
  return names.map((name) => {
    const mine = opened.filter(({ stagelet }) => stagelet === undefined || stagelet === name)
    return resolveEntries(projectUid, mine, name)
  })
}
