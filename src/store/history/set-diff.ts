// What differs between two sets of one project, by names: never by values.
import { createHash } from 'node:crypto'
import { sameJson } from '../canonical.ts'
import type { SetEntry } from '../../secrets/visible.ts'

/** One secret as people name it. */
export interface NamedEntry {
  readonly secretId: string
  readonly name: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string
}

export interface SetDiff {
  readonly added: readonly NamedEntry[]
  readonly removed: readonly NamedEntry[]
  /** Another value, or the same one in another place: `what` says which. */
  readonly changed: readonly (NamedEntry & {
    readonly what: readonly ('value' | 'scope' | 'type' | 'stagelet' | 'file')[]
    readonly fromVersion: number
    readonly toVersion: number
    /** What it was before, where that changed; null: the secret of no stagelet. */
    readonly fromScope?: string
    readonly fromStagelet?: string | null
    readonly fromType?: 'env' | 'file'
  })[]
}

const nameEntry = ({ secretId, name, key, scope, stagelet }: SetEntry): NamedEntry => ({
  secretId,
  name,
  key,
  scope,
  ...(stagelet === undefined ? {} : { stagelet }),
})

/** The same for two sets just when they hold the same versions of the same secrets. Tells nothing else. */
export const nameSet = (entries: readonly SetEntry[]): string => {
  const lines = entries.map(({ secretId, version }) => `${secretId} ${version}`).sort()
  return createHash('sha256').update(lines.join('\n')).digest('base64url').slice(0, 22)
}

type Difference = 'value' | 'scope' | 'type' | 'stagelet' | 'file'

/** The digest of a file covers its place as well, so that `value` can only be told where no place moved. */
const differences = (a: SetEntry, b: SetEntry): Difference[] => {
  const places = (['scope', 'type', 'stagelet', 'file'] as const).filter(
    (field) => !sameJson(a[field], b[field]),
  )
  const moved = places.includes('file') || places.includes('type')
  const sameBytes = moved ? a.bytes === b.bytes : a.valueDigest === b.valueDigest
  return sameBytes ? places : ['value', ...places]
}

const placeBefore = (
  was: SetEntry,
  what: readonly Difference[],
): Partial<SetDiff['changed'][0]> => ({
  ...(what.includes('scope') ? { fromScope: was.scope } : {}),
  ...(what.includes('stagelet') ? { fromStagelet: was.stagelet ?? null } : {}),
  ...(what.includes('type') ? { fromType: was.type } : {}),
})

const byName = (a: NamedEntry, b: NamedEntry): number => (a.name < b.name ? -1 : 1)

export const diffSets = (before: readonly SetEntry[], after: readonly SetEntry[]): SetDiff => {
  const old = new Map(before.map((entry) => [entry.secretId, entry]))
  const kept = new Set(after.map((entry) => entry.secretId))
  const added = after.filter((entry) => !old.has(entry.secretId)).map(nameEntry)
  const removed = before.filter((entry) => !kept.has(entry.secretId)).map(nameEntry)
  const changed = after.flatMap((entry) => {
    const was = old.get(entry.secretId)
    const what = was === undefined ? [] : differences(was, entry)
    if (was === undefined || what.length === 0) return []
    const versions = { fromVersion: was.version, toVersion: entry.version }
    return [{ ...nameEntry(entry), what, ...versions, ...placeBefore(was, what) }]
  })
  return {
    added: added.sort(byName),
    removed: removed.sort(byName),
    changed: changed.sort(byName),
  }
}
