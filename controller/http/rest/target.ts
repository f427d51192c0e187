// Handlers for the object in a route's path.
import { refOf, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import type { Reader } from '../../../src/store/store.ts'
import { etagOf } from './etag.ts'
import { deleted } from './representations.ts'
import { requireTarget, type RestAnswer, type RestContext } from './route.ts'
import { readAgain, updateTracked } from './writes.ts'

const allowed = (): Promise<void> => Promise.resolve()

/** An answer with the object and its ETag. */
export const shownAs = (object: KubeObject, show: (object: KubeObject) => object): RestAnswer => ({
  body: show(object),
  headers: etagOf(object),
})

export const showTarget =
  (show: (object: KubeObject) => object) =>
  (context: RestContext): Promise<RestAnswer> =>
    Promise.resolve(shownAs(requireTarget(context), show))

/** Deletes the object; supports If-Match. `check` throws when the object may not be deleted. */
export const deleteTarget =
  (check: (tx: Reader, ref: ObjectRef) => Promise<void> = allowed) =>
  async (context: RestContext): Promise<RestAnswer> => {
    await context.deps.store.write(context.actor, {}, async (tx) => {
      const current = await readAgain(tx, requireTarget(context), context.ifMatch)
      await check(tx, refOf(current))
      await tx.remove(refOf(current))
    })
    return deleted
  }

/** Changes the object; supports If-Match. `change` gets the present object, and the time (ms). */
export const changeTarget = (
  context: RestContext,
  change: (before: KubeObject, nowMs: number) => KubeObject,
  target = requireTarget(context),
): Promise<KubeObject> =>
  context.deps.store.write(context.actor, {}, async (tx) => {
    const before = await readAgain(tx, target, context.ifMatch)
    const now = context.deps.clock.now()
    return updateTracked(tx, before, change(before, now), now)
  })
