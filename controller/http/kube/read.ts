// GET of one object and of lists.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { Reader, Store } from '../../../src/store/store.ts'
import { storeOf, type AppContext } from '../env.ts'
import { answerList, answerStored } from './answer.ts'
import { listOfRequest } from './list.ts'
import { requireReached, resourceVersionOf } from './resource-version.ts'
import { kubeNotFound } from './status.ts'

interface ReadDeps {
  readonly store: Store
  readonly clock: Clock
}

/** The object in the path. */
export const refOfPath = (c: AppContext, kind: Kind): ObjectRef => ({
  kind: kind.kind,
  namespace: c.req.param('namespace') ?? '',
  name: c.req.param('name') ?? '',
})

export const getOrThrow = async (
  reader: Reader,
  kind: Kind,
  ref: ObjectRef,
): Promise<KubeObject> => {
  const object = await reader.get(ref)
  if (object === undefined) throw kubeNotFound(kind, ref.name)
  return object
}

export const serveGet =
  (deps: ReadDeps, kind: Kind) =>
  async (c: AppContext): Promise<Response> => {
    const ref = refOfPath(c, kind)
    await requireReached(deps.store, resourceVersionOf(c))
    const stored = await storeOf(c, deps.store).getStored(ref)
    if (stored === undefined) throw kubeNotFound(kind, ref.name)
    return answerStored(c, kind, stored, deps)
  }

export const serveList =
  (deps: ReadDeps, kind: Kind) =>
  async (c: AppContext): Promise<Response> =>
    answerList(c, kind, await listOfRequest(c, storeOf(c, deps.store), kind), deps.clock)
