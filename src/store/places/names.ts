// Names are one for a whole team, and folders and Compose projects one for a machine, so a create tells that one is taken.
// It tells nothing beside, and few of them: see ADR 0082.
import { keyOf, refOf, type KubeObject } from '../../resources/meta.ts'
import { payerOf, type Actor } from '../core/actor.ts'
import type { Guesses } from '../core/guesses.ts'
import type { View } from '../state/state.ts'
import { finderIn, forbidden, isArrival, narrowingFor, sees, type ObjectChange } from './places.ts'
import { ownSecretsOf } from './protection.ts'

/** Names, folders and Compose projects of hidden objects that a login learns in an hour. */
const mostLearned = 20

export interface Naming {
  readonly actor: Actor
  readonly view: Pick<View, 'objects'>
  readonly deps: { readonly guesses: Guesses }
}

/**
 * To be asked before the answer tells a narrowed login whether something elsewhere has `name`: notes it where it is taken.
 * TooManyRequests for a login that has learned many, whether it is taken or not.
 */
export const tellTaken = (
  { actor, deps }: Omit<Naming, 'view'>,
  name: string,
  isTaken: () => boolean,
): boolean => {
  const counted = `names ${payerOf(actor) ?? actor.name}`
  const why = `you have tried ${mostLearned} names that are taken elsewhere`
  deps.guesses.check(counted, { most: mostLearned, why, of: 'names', guess: name })
  const taken = isTaken()
  if (taken) deps.guesses.note(counted, name)
  return taken
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
  const isTaken = (): boolean => isHidden || (arrives && ownSecretsOf(view, after).length > 0)
  return !tellTaken({ actor, deps }, keyOf(refOf(after)), isTaken)
}

/** Forbidden, with one text for all that holds a name elsewhere. The refusal is in the audit log. */
export const checkName = (naming: Naming, { before, after }: ObjectChange): void => {
  const isNamed = after !== undefined && (before === undefined || isArrival({ before, after }))
  const narrowing = narrowingFor(naming.actor, after)
  if (!isNamed || narrowing === undefined || isNameFree(naming, after, before)) return
  throw forbidden(naming.actor, narrowing, 'this name is not free for it: choose another one')
}
