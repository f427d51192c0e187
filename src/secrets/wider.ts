// Whether a secret goes to services that its key was kept from before: one judgement for reviews, warnings and programs.
import { isForController, type SetEntry } from './set-entry.ts'

/** Which services see a secret. */
export type SecretPlace = Pick<SetEntry, 'scope' | 'stagelet'>

const covers = (a: SecretPlace, b: SecretPlace): boolean =>
  (a.scope === 'global' || a.scope === b.scope) &&
  (a.stagelet === undefined || a.stagelet === b.stagelet)

const isWiderThan = (a: SecretPlace, b: SecretPlace): boolean => {
  const sharesService = a.scope === 'global' || b.scope === 'global' || a.scope === b.scope
  return (
    (a.scope === 'global' && b.scope !== 'global') ||
    (a.stagelet === undefined && b.stagelet !== undefined && sharesService)
  )
}

/**
 * The places of a key beyond which `place` goes: all services in place of one, or all stagelets in place of one.
 * None where the key was in so wide a place before.
 */
export const narrowerPlaces = <P extends SecretPlace>(
  before: readonly P[],
  place: SecretPlace,
): P[] => {
  if (isForController(place)) return []
  const forServices = before.filter((other) => !isForController(other))
  if (forServices.some((other) => covers(other, place))) return []
  return forServices.filter((other) => isWiderThan(place, other))
}

const textOf = ({ scope, stagelet }: SecretPlace): string =>
  (scope === 'global' ? 'all services' : `service ${scope}`) +
  (stagelet === undefined ? '' : ` of stagelet ${stagelet}`)

/** `service api, service web of stagelet prod` */
export const placesText = (places: readonly SecretPlace[]): string =>
  [...new Set(places.map(textOf))].sort().join(', ')
