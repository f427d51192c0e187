// Names are one for a whole team, so a create tells that a name is taken. It tells nothing beside, and few of them: see ADR 0082.
import { keyOf, refOf, type KubeObject } from '../../resources/meta.ts'
import { payerOf, type Actor } from '../core/actor.ts'
import type { Guesses } from '../core/guesses.ts'
import type { View } from '../state/state.ts'
import { finderIn, forbidden, isArrival, narrowingFor, sees, type ObjectChange } from './places.ts'
import { ownSecretsOf } from './protection.ts'

/** Names of hidden objects that a login learns in an hour. */
const mostLearned = 20

export interface Naming {
  readonly actor: Actor
  readonly view: Pick<View, 'objects'>
  readonly deps: { readonly guesses: Guesses }
}

/**
 * False where something that the actor does not see has the name: an object of the kind, or secrets that wait for a
 * stagelet. TooManyRequests for a login that has learned many.
 */
export const isNameFree = (
  { actor, view, deps }: Naming,
  after: KubeObject,
  before?: KubeObject,
): boolean => {
  const narrowing = narrowingFor(actor, after)
  if (narrowing === undefined) return true
  const find = finderIn(view)
  const existing = before ?? find(refOf(after))
  const isHidden = existing !== undefined && !sees(narrowing, existing, find)
  const arrives = isArrival({ before: existing, after })
  if (existing !== undefined && !isHidden && !arrives) return true
  const counted = `names ${payerOf(actor) ?? actor.name}`
  const name = keyOf(refOf(after))
  const why = `you have tried ${mostLearned} names that are taken elsewhere`
  deps.guesses.check(counted, { most: mostLearned, why, of: 'names', guess: name })
  if (!isHidden && !(arrives && ownSecretsOf(view, after).length > 0)) return true
  deps.guesses.note(counted, name)
  return false
}

/** Forbidden, with one text for all that holds a name elsewhere. The refusal is in the audit log. */
export const checkName = (naming: Naming, { before, after }: ObjectChange): void => {
  const isNamed = after !== undefined && (before === undefined || isArrival({ before, after }))
  const narrowing = narrowingFor(naming.actor, after)
  if (!isNamed || narrowing === undefined || isNameFree(naming, after, before)) return
  throw forbidden(naming.actor, narrowing, 'this name is not free for it: choose another one')
}
