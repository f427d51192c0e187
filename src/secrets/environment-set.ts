// What an environment sees of a project's set. The functions of precedence, digests and references take entries of this set
// and no others, so that nobody forgets the environment: see ADR 0080.
import {
  emptyLayout,
  isEmptyLayout,
  placeInLayout,
  placeOfEnvironment,
  type Layout,
} from './layout.ts'
import { environmentFor, isForService, isInEnvironment, type Viewer } from './place.ts'
import type { ProjectEntry, Seen } from './set-entry.ts'

/** Secrets of the project and of single stagelets, as one environment sees them. */
export type EnvironmentSet<E extends ProjectEntry = ProjectEntry> = readonly Seen<E>[]

/** The secrets of a project, and who is in which environment; without a layout nobody is in one. */
export interface LaidOut<E extends ProjectEntry = ProjectEntry> {
  readonly entries: readonly E[]
  readonly layout?: Layout | undefined
}

/** A set as one stagelet sees it. */
export const stageletSet = <S extends LaidOut>(set: S, stagelet: string): StageletSet<S> => {
  const { layout = emptyLayout, entries: __, ...rest } = set
  return {
    ...rest,
    entries: environmentSet(set, stagelet),
    place: placeInLayout(layout, stagelet),
    isLaidOut: !isEmptyLayout(layout),
  }
}

export type StageletSet<S extends LaidOut = LaidOut> = Omit<S, 'entries' | 'layout'> & {
  readonly entries: EnvironmentSet
  /** placeInLayout() of the stagelet; absent: in no environment. */
  readonly place?: string
  /** Some stagelet of the project is in an environment. */
  readonly isLaidOut?: boolean
}

/** The secrets of an environment take the place of the project's where they win for every service that would see these. */
const resolved = <E extends ProjectEntry>(
  entries: readonly E[],
  environment: string | undefined,
  layout: Layout,
): readonly E[] => {
  const inside = entries.filter((entry) => isInEnvironment(entry, environment, layout))
  /** By key, the environment's own. */
  const own = new Map<string, E[]>()
  for (const entry of inside) {
    if (entry.environments === undefined) continue
    const ofKey = own.get(entry.key)
    if (ofKey === undefined) own.set(entry.key, [entry])
    else ofKey.push(entry)
  }
  if (own.size === 0) return inside.length === entries.length ? entries : inside
  const set: E[] = []
  for (const entry of inside) {
    if (entry.environments !== undefined) {
      // A copy with all fields is made faster than one without this one.
      set.push({ ...entry, environments: undefined })
      continue
    }
    const rivals = entry.stagelet === undefined ? own.get(entry.key) : undefined
    const loses = rivals?.some((rival) => isForService(rival, entry.scope))
    if (loses !== true) set.push(entry)
  }
  return set
}

const kept = new WeakMap<readonly ProjectEntry[], Map<string, readonly ProjectEntry[]>>()

/** The set that `viewer` sees; undefined: a stagelet in no environment. The same array for the same environment and set. */
export const environmentSet = <E extends ProjectEntry>(
  { entries, layout = emptyLayout }: LaidOut<E>,
  viewer: Viewer,
): EnvironmentSet<E> => {
  const environment = environmentFor(viewer, layout)
  const id = placeOfEnvironment(layout, environment)
  const byEnvironment = kept.get(entries) ?? new Map<string, readonly ProjectEntry[]>()
  kept.set(entries, byEnvironment)
  const before = byEnvironment.get(id)
  const set = before ?? resolved(entries, environment, layout)
  byEnvironment.set(id, set)
  return set as EnvironmentSet<E>
}
