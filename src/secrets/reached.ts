import type { ServiceViewer } from './place.ts'
import { createDependencies } from './references.ts'
import { winnersFor, type SetEntry } from './set-entry.ts'

/** All of a set that a service sees, also by reference. */
export const reachedBy = (
  entries: readonly SetEntry[],
  { stagelet, service }: ServiceViewer,
): SetEntry[] => {
  const reach = createDependencies(entries, stagelet)
  return [...winnersFor(service, stagelet, entries).values()].flatMap(reach)
}
