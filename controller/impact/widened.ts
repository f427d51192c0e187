// Keys that a change gives to services from which they were kept before: pure. Programs ask before such a write.
import type { WidenedKey } from '../../src/manifests/review.ts'
import { environmentSet } from '../../src/secrets/environment-set.ts'
import { narrowerPlaces, placeAlone } from '../../src/secrets/place.ts'
import { viewsOf } from '../../src/secrets/set-views.ts'
import type { ProjectEntry } from '../../src/secrets/set-entry.ts'
import { emptySet, type Situation } from './situation.ts'

const byKey = (entries: readonly ProjectEntry[]): Map<string, ProjectEntry[]> => {
  const found = new Map<string, ProjectEntry[]>()
  for (const entry of entries) {
    const same = found.get(entry.key)
    if (same === undefined) found.set(entry.key, [entry])
    else same.push(entry)
  }
  return found
}

/** Services that see the key after the change, and did not before. */
const reachedBy = (
  key: string,
  project: string,
  { before, after }: { before: Situation; after: Situation },
): WidenedKey['services'] => {
  return after.stagelets
    .filter((facts) => facts.project === project)
    .flatMap(({ stagelet: { metadata, status } }) =>
      (status?.services ?? [])
        .filter(({ name: service }) => {
          const seesIn = ({ sets }: Situation): boolean =>
            viewsOf(environmentSet(sets.get(project) ?? emptySet, metadata.name))
              .viewOf(metadata.name, service)
              .visible.some((entry) => entry.key === key)
          return seesIn(after) && !seesIn(before)
        })
        .map(({ name: service }) => ({ stagelet: metadata.name, service })),
    )
}

export const widenedKeys = (before: Situation, after: Situation): WidenedKey[] =>
  [...after.sets].flatMap(([project, { entries }]) => {
    const was = before.sets.get(project)?.entries ?? []
    const old = new Set(was)
    const placesBefore = byKey(was)
    const [namespace = '', name = ''] = project.split('/')
    return entries.flatMap((entry) => {
      if (old.has(entry)) return []
      const narrower = narrowerPlaces(placesBefore.get(entry.key) ?? [], entry)
      if (narrower.length === 0) return []
      const services = reachedBy(entry.key, project, { before, after })
      const what = { namespace, project: name, secret: entry.name, key: entry.key }
      return [{ ...what, ...placeAlone(entry), before: narrower.map(placeAlone), services }]
    })
  })
