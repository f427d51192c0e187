// Keys that a change gives to services from which they were kept before: pure. Programs ask before such a write.
import { defined } from '../../src/kernel/defined.ts'
import type { WidenedKey } from '../../src/manifests/review.ts'
import { viewsOf } from '../../src/secrets/set-views.ts'
import type { SetEntry } from '../../src/secrets/visible.ts'
import { narrowerPlaces } from '../../src/secrets/wider.ts'
import type { Situation } from './situation.ts'

const byKey = (entries: readonly SetEntry[]): Map<string, SetEntry[]> => {
  const found = new Map<string, SetEntry[]>()
  for (const entry of entries) {
    const same = found.get(entry.key)
    if (same === undefined) found.set(entry.key, [entry])
    else same.push(entry)
  }
  return found
}

const placeOf = ({ scope, stagelet }: SetEntry): WidenedKey['before'][number] => ({
  scope,
  ...defined({ stagelet }),
})

/** Services that see the key after the change, and did not before. */
const reachedBy = (
  key: string,
  project: string,
  { before, after }: { before: Situation; after: Situation },
): WidenedKey['services'] => {
  const [old, now] = [before, after].map(({ sets }) => viewsOf(sets.get(project) ?? []))
  return after.stagelets
    .filter((facts) => facts.project === project)
    .flatMap(({ stagelet: { metadata, status } }) =>
      (status?.services ?? [])
        .filter(({ name: service }) => {
          const sees = (views = old): boolean =>
            views?.viewOf(metadata.name, service).visible.some((entry) => entry.key === key) ===
            true
          return sees(now) && !sees(old)
        })
        .map(({ name: service }) => ({ stagelet: metadata.name, service })),
    )
}

export const widenedKeys = (before: Situation, after: Situation): WidenedKey[] =>
  [...after.sets].flatMap(([project, entries]) => {
    const was = before.sets.get(project) ?? []
    const old = new Set(was)
    const placesBefore = byKey(was)
    const [namespace = '', name = ''] = project.split('/')
    return entries.flatMap((entry) => {
      if (old.has(entry)) return []
      const narrower = narrowerPlaces(placesBefore.get(entry.key) ?? [], entry)
      if (narrower.length === 0) return []
      const services = reachedBy(entry.key, project, { before, after })
      const what = { namespace, project: name, secret: entry.name, key: entry.key }
      return [{ ...what, ...placeOf(entry), before: narrower.map(placeOf), services }]
    })
  })
