// Names of services come from outside. All that no secret is for see the same: they count as one name.
import type { SetEntry } from './set-entry.ts'

/** The name under which a service sees its secrets in this set: its own, or that of all others. */
export const createScopeNames = (
  entries: Iterable<Pick<SetEntry, 'scope'>>,
): ((service: string) => string) => {
  const scopes = new Set(Array.from(entries, ({ scope }) => scope))
  return (service) => (scopes.has(service) ? service : 'global')
}
