// What differs between two sets of one project, by names, and of values only plain ones.
import { createHash } from 'node:crypto'
import { defined } from '../../kernel/defined.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import { emptyLayout, isEmptyLayout, layoutText } from '../../secrets/layout.ts'
import { audienceOf, shownAudience } from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'

type Audience = 'Services' | 'Controller'

type Difference =
  'value' | 'scope' | 'type' | 'stagelet' | 'environments' | 'audience' | 'visibility' | 'file'

/** One secret as people name it. */
export interface NamedEntry {
  readonly secretId: string
  readonly name: string
  readonly key: string
  readonly scope: string
  readonly stagelet?: string
  readonly environments?: readonly string[]
  /** It is for the controller alone. */
  readonly audience?: 'Controller'
}

export interface SetDiff {
  readonly added: readonly (NamedEntry & Pick<ShownValues, 'value'>)[]
  readonly removed: readonly (NamedEntry & Pick<ShownValues, 'fromValue'>)[]
  /** Another value, or the same one in another place: `what` says which. */
  readonly changed: readonly (NamedEntry &
    ShownValues & {
      readonly what: readonly Difference[]
      readonly fromVersion: number
      readonly toVersion: number
      /** What it was before, where that changed; null: the secret of no stagelet. */
      readonly fromScope?: string
      readonly fromStagelet?: string | null
      /** null: the secret was not of single environments. */
      readonly fromEnvironments?: readonly string[] | null
      readonly fromAudience?: Audience
      readonly fromType?: 'env' | 'file'
    })[]
}

/** Absent where the value is masked, or not asked for. */
interface ShownValues {
  /** As it was in the older set. */
  readonly fromValue?: string
  readonly value?: string
}

export const nameEntry = (entry: ProjectEntry): NamedEntry => {
  const { secretId, name, key, scope } = entry
  return { secretId, name, key, scope, ...shownAudience(entry) }
}

/**
 * The same for two sets just when they hold the same versions of the same secrets, for the same stagelets in the same
 * environments. Tells nothing else.
 */
export const nameSet = ({ entries, layout = emptyLayout }: LaidOut): string => {
  const lines = entries.map(({ secretId, version }) => `${secretId} ${version}`).sort()
  if (!isEmptyLayout(layout)) lines.push(layoutText(layout))
  return createHash('sha256').update(lines.join('\n')).digest('base64url').slice(0, 22)
}

const audienceIn = (entry: ProjectEntry): Audience => audienceOf(entry).audience ?? 'Services'

const placeIn = (entry: ProjectEntry): Partial<ProjectEntry> & { audience: Audience } => {
  const { scope, type, file } = entry
  const { stagelet, environments } = shownAudience(entry)
  return { ...defined({ scope, type, file, stagelet, environments }), audience: audienceIn(entry) }
}

/** The digest of a file covers its place as well, so that `value` can only be told where no place moved. */
const differences = (a: ProjectEntry, b: ProjectEntry): Difference[] => {
  const [before, after] = [placeIn(a), placeIn(b)]
  const places: Difference[] = (
    ['scope', 'type', 'stagelet', 'environments', 'audience', 'file'] as const
  ).filter((field) => !sameJson(before[field], after[field]))
  if (a.plain !== b.plain) places.push('visibility')
  const moved = places.includes('file') || places.includes('type')
  const sameBytes = moved ? a.bytes === b.bytes : a.valueDigest === b.valueDigest
  return sameBytes ? places : ['value', ...places]
}

const placeBefore = (
  was: ProjectEntry,
  what: readonly Difference[],
): Partial<SetDiff['changed'][0]> => ({
  ...(what.includes('scope') && { fromScope: was.scope }),
  ...((what.includes('stagelet') || what.includes('audience')) && {
    fromStagelet: shownAudience(was).stagelet ?? null,
  }),
  ...(what.includes('environments') && { fromEnvironments: was.environments ?? null }),
  ...(what.includes('audience') && { fromAudience: audienceIn(was) }),
  ...(what.includes('type') && { fromType: was.type }),
})

export const byName = (a: NamedEntry, b: NamedEntry): number => (a.name < b.name ? -1 : 1)

export const diffSets = (
  before: readonly ProjectEntry[],
  after: readonly ProjectEntry[],
  valueOf: (entry: ProjectEntry) => string | undefined = () => undefined,
): SetDiff => {
  const old = new Map(before.map((entry) => [entry.secretId, entry]))
  const kept = new Set(after.map((entry) => entry.secretId))
  const added = after
    .filter((entry) => !old.has(entry.secretId))
    .map((entry) => ({ ...nameEntry(entry), ...defined({ value: valueOf(entry) }) }))
  const removed = before
    .filter((entry) => !kept.has(entry.secretId))
    .map((entry) => ({ ...nameEntry(entry), ...defined({ fromValue: valueOf(entry) }) }))
  const changed = after.flatMap((entry) => {
    const was = old.get(entry.secretId)
    const what = was === undefined ? [] : differences(was, entry)
    if (was === undefined || what.length === 0) return []
    const versions = { fromVersion: was.version, toVersion: entry.version }
    const isOther = what.includes('value') || what.includes('visibility')
    const values = isOther ? defined({ fromValue: valueOf(was), value: valueOf(entry) }) : {}
    return [{ ...nameEntry(entry), what, ...versions, ...placeBefore(was, what), ...values }]
  })
  return {
    added: added.sort(byName),
    removed: removed.sort(byName),
    changed: changed.sort(byName),
  }
}
