// Opens the values of sets. The caller audits the opened values.
import { defined } from '../../kernel/defined.ts'
import { open, valueAad, type SealKey } from '../../secrets/aead.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import { createDependencies } from '../../secrets/references.ts'
import type { ProjectEntry, Seen } from '../../secrets/set-entry.ts'
import { environmentSet, type EnvironmentSet, type LaidOut } from '../../secrets/environment-set.ts'
import { isForStagelet, reaches, stageletOf, type Viewer } from '../../secrets/place.ts'
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
  { secretId, key, scope, type, version, plain }: ProjectEntry,
  sealed: string,
): Buffer =>
  open(dataKey, sealed, valueAad({ projectUid, secretId, key, scope, type, version, plain }))

export interface HeadSelection {
  readonly choose: (set: LaidOut) => readonly ProjectEntry[]
  /** References lead to what this viewer sees, where a secret is not of a stagelet or an environment itself. */
  readonly viewer?: Viewer
  /** References stay in the values, as they are written. */
  readonly asWritten?: boolean | undefined
}

/** Of a secret of several environments it is the first. */
const viewerFor = (entry: ProjectEntry, viewer: Viewer): Viewer => {
  if (entry.stagelet !== undefined) return entry.stagelet
  const [environment] = entry.environments ?? []
  return viewer ?? (environment === undefined ? undefined : { environment })
}

/**
 * Opens the secrets of the head set that `choose` picks. `read` are all secrets whose values are in the opened ones: the
 * caller audits them.
 */
export const openHead = async (
  q: Queryable,
  keys: ProjectKeys,
  projectUid: string,
  { choose, viewer, asWritten = false }: HeadSelection,
): Promise<{ opened: OpenedEntry[]; read: ProjectEntry[] }> => {
  const { head, layout, members } = await loadRows(q, keys, projectUid, {
    revision: 'head',
    sealed: true,
  })
  const entries = members.map(({ entry }) => entry).sort((a, b) => (a.name < b.name ? -1 : 1))
  const picked = new Set(choose({ entries, layout }).map((entry) => entry.secretId))
  const chosen = entries.filter((entry) => picked.has(entry.secretId))
  const byViewer = new Map<string, { readonly sees: Viewer; readonly own: ProjectEntry[] }>()
  for (const entry of chosen) {
    const sees = viewerFor(entry, viewer)
    const id = JSON.stringify(sees ?? null)
    const group = byViewer.get(id) ?? { sees, own: [] }
    byViewer.set(id, group)
    group.own.push(entry)
  }
  const groups = [...byViewer.values()].map(({ sees, own }) => {
    const set = environmentSet({ entries, layout }, sees)
    const inSet = new Set(set.map(({ secretId }) => secretId))
    // What the environment's own secret hides is not what the viewer sees.
    return { sees, set, inSet, own: own.filter(({ secretId }) => inSet.has(secretId)) }
  })
  const needed = new Set(groups.flatMap(({ own }) => own.map(({ secretId }) => secretId)))
  for (const { sees, set, own } of asWritten ? [] : groups) {
    const reach = createDependencies(set, stageletOf(sees))
    for (const entry of seenIn(set, own))
      for (const { secretId } of reach(entry)) needed.add(secretId)
  }
  const sealed = members.filter(({ entry }) => needed.has(entry.secretId))
  const values = await openMembers(keys, projectUid, { head, members: sealed })
  const opened = groups.flatMap(({ sees, inSet, own }) => {
    const seen = values
      .filter(({ secretId }) => inSet.has(secretId))
      .map(({ environments: _, ...value }): Seen<OpenedEntry> => value)
    const all = asWritten ? seen : resolveEntries(projectUid, seen, stageletOf(sees))
    const byId = new Map(all.map((entry) => [entry.secretId, entry]))
    return own.flatMap(({ secretId, environments }) => {
      const found = byId.get(secretId)
      return found === undefined ? [] : [{ ...found, ...defined({ environments }) }]
    })
  })
  return {
    opened: opened.sort((a, b) => (a.name < b.name ? -1 : 1)),
    read: entries.filter((entry) => needed.has(entry.secretId)),
  }
}

/** The entries of an environment's set that are these secrets. */
const seenIn = (set: EnvironmentSet, entries: readonly ProjectEntry[]): EnvironmentSet => {
  const ids = new Set(entries.map(({ secretId }) => secretId))
  return set.filter(({ secretId }) => ids.has(secretId))
}

const openMembers = async (
  keys: ProjectKeys,
  projectUid: string,
  { head, members }: Pick<LoadedSet, 'head' | 'members'>,
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
): Promise<Seen<OpenedEntry>[][]> => {
  const { head, layout, members } = await loadRows(q, keys, projectUid, { revision, sealed: true })
  const { namespace, epoch } = head
  await audit({ projectUid, namespace, epoch, revision })
  const names = deliveries.map(({ stagelet }) => stagelet)
  if (members.length === 0) return deliveries.map(() => [])
  const visible = members.filter(({ entry }) => names.some((name) => reaches(entry, name, layout)))
  const entries = await openMembers(keys, projectUid, { head, members: visible })
  return names.map((name) => {
    const set = environmentSet({ entries, layout }, name)
    return resolveEntries(
      projectUid,
      set.filter((entry) => isForStagelet(entry, name)),
      name,
    )
  })
}
