// Whether a secret goes to services that its key was kept from before: one judgement for reviews, warnings and programs.
import type { SecretSpec } from '../resources/kinds/stagelysecret.ts'
import { isForController, viewersIn, type ProjectEntry } from './set-entry.ts'

/** Which services see a secret. */
export type SecretPlace = Pick<ProjectEntry, 'scope' | 'stagelet' | 'environments'>

export const secretPlaceOf = (
  spec: Pick<SecretSpec, 'scope' | 'audience' | 'stageletRef' | 'environments'>,
): SecretPlace => ({ scope: spec.scope, ...viewersIn(spec) })

const isSubset = (some: readonly string[], all: readonly string[]): boolean =>
  some.every((name) => all.includes(name))

/** Every stagelet of `b` is one of `a`. Which stagelets an environment has is not asked: it may get others. */
export const hasStageletsOf = (a: SecretPlace, b: SecretPlace): boolean => {
  if (a.stagelet !== undefined) return a.stagelet === b.stagelet
  return a.environments === undefined || isSubset(b.environments ?? [''], a.environments)
}

/** Secrets of different environments stand beside each other. */
const areApart = ({ environments: a }: SecretPlace, { environments: b }: SecretPlace): boolean =>
  a !== undefined && b !== undefined && !a.some((name) => b.includes(name))

const covers = (a: SecretPlace, b: SecretPlace): boolean =>
  (a.scope === 'global' || a.scope === b.scope) && hasStageletsOf(a, b)

const isWiderThan = (a: SecretPlace, b: SecretPlace): boolean => {
  if (areApart(a, b)) return false
  const sharesService = a.scope === 'global' || b.scope === 'global' || a.scope === b.scope
  return (
    (a.scope === 'global' && b.scope !== 'global') ||
    (a.stagelet === undefined && !hasStageletsOf(b, a) && sharesService)
  )
}

/**
 * The places of a key beyond which `place` goes: all services in place of one, or more stagelets.
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

const textOf = ({ scope, stagelet, environments }: SecretPlace): string =>
  (scope === 'global' ? 'all services' : `service ${scope}`) +
  (stagelet === undefined ? '' : ` of stagelet ${stagelet}`) +
  (environments === undefined ? '' : ` in ${environments.join(' and ')}`)

/** `service api, service web of stagelet prod` */
export const placesText = (places: readonly SecretPlace[]): string =>
  [...new Set(places.map(textOf))].sort().join(', ')
