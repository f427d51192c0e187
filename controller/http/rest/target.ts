// What routes do with the object that their path names.
import { refOf, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import type { Reader } from '../../../src/store/store.ts'
import type { RestDeps } from './deps.ts'
import { etagOf } from './etag.ts'
import { deleted } from './representations.ts'
import { requireTarget, type RestAnswer, type RestContext } from './route.ts'
import { readAgain, updateTracked } from './writes.ts'

const allowed = (): Promise<void> => Promise.resolve()

type Context = Pick<RestContext<unknown, unknown>, 'actor' | 'target' | 'ifMatch'>

/** An object with its ETag. */
export const shownAs = (
  status: 200 | 201 | 202,
  object: KubeObject,
  show: (object: KubeObject) => object,
): RestAnswer => ({ status, body: show(object), headers: etagOf(object) })

export const showTarget =
  (show: (object: KubeObject) => object) =>
  (context: Context): Promise<RestAnswer> =>
    Promise.resolve(shownAs(200, requireTarget(context), show))

/** Heeds If-Match. `check` throws where the object may not go. */
export const deleteTarget =
  ({ store }: RestDeps, check: (tx: Reader, ref: ObjectRef) => Promise<void> = allowed) =>
  async (context: Context): Promise<RestAnswer> => {
    await store.write(context.actor, {}, async (tx) => {
      const current = await readAgain(tx, requireTarget(context), context.ifMatch)
      await check(tx, refOf(current))
      await tx.remove(refOf(current))
    })
    return deleted
  }

/** Heeds If-Match; `change` gets the object as it is now, and the time (ms). */
export const changeTarget = (
  { store, clock }: RestDeps,
  context: Context,
  change: (before: KubeObject, nowMs: number) => KubeObject,
): Promise<KubeObject> =>
  store.write(context.actor, {}, async (tx) => {
    const before = await readAgain(tx, requireTarget(context), context.ifMatch)
    const now = clock.now()
    return updateTracked(tx, before, change(before, now), now)
  })

/** With an annotation that says when: in milliseconds, so that two within a second are two. */
export const annotated = (object: KubeObject, name: string, nowMs: number): KubeObject => {
  const texts = { ...object.metadata.annotations, [name]: new Date(nowMs).toISOString() }
  return { ...object, metadata: { ...object.metadata, annotations: texts } }
}
