// Services of a stagelet that do not run because nothing has started them yet: pure.
import type { ObservationSpec, ObservedService } from '../../../src/kinds/observation/schema.ts'

/** True for a service that is new in the Compose files and that only a deploy starts: that is no fault. */
export const awaitsDeploy = (
  { name, state }: { readonly name: string; readonly state?: string | undefined },
  pendingEdits: ReadonlySet<string>,
): boolean => state === 'missing' && pendingEdits.has(name)

/** Names of all services, where none of them was ever started. */
export const neverStarted = ({
  services,
  pendingEdits,
}: Pick<ObservationSpec, 'services' | 'pendingEdits'>): string[] => {
  const pending = new Set(pendingEdits)
  const own = services.filter((s) => s.state !== 'scaledToZero' && !awaitsDeploy(s, pending))
  const isNew = ({ state }: ObservedService): boolean => state === 'missing' || state === 'created'
  return own.every(isNew) ? own.map(({ name }) => name) : []
}
