// Whether an actor may write an object where it is: what a token is narrowed to, and what is protected. See ADR 0082.
import type { KubeObject } from '../../resources/meta.ts'
import type { Actor } from '../core/actor.ts'
import type { View } from '../state/state.ts'
import { checkFolders } from './folders.ts'
import { checkName, type Naming } from './names.ts'
import { checkFollower, checkNarrowing, checkSeen, finderIn, type ObjectChange } from './places.ts'
import { checkProtected } from './protection.ts'

interface Acting {
  readonly actor: Actor
  readonly view: Pick<View, 'objects'>
}

/** Whether the actor may write or delete the object that is there. */
export const checkPlace = ({ actor, view }: Acting, before: KubeObject): void => {
  checkNarrowing(actor, { before }, finderIn(view))
  checkProtected(actor, { before }, view)
}

/** Whether it may be written as it is to be: its place comes first, so that nothing is told of a name outside. */
export const checkWrite = (naming: Naming, change: ObjectChange): void => {
  const { actor, view } = naming
  checkNarrowing(actor, change, finderIn(view))
  checkName(naming, change)
  checkFolders(naming, change)
  checkProtected(actor, change, view)
}

/** Forbidden where the actor may not read the value: of what is protected, unless others have granted it, or of what it does not see. */
export const checkReveal = (
  { actor, view }: Acting,
  object: KubeObject,
  { isGranted = false }: { readonly isGranted?: boolean } = {},
): void => {
  checkSeen(actor, object, finderIn(view))
  if (!isGranted) checkProtected(actor, { before: object }, view)
}

/** The same for a secret that gets its value by the write of another one. */
export const checkFollowerPlace = ({ actor, view }: Acting, follower: KubeObject): void => {
  checkFollower(actor, follower, finderIn(view))
  checkProtected(actor, { before: follower }, view)
}
