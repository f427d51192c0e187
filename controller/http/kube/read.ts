// GET of one object and of lists.
import type { Clock } from '../../../src/kernel/clock.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { ObjectList, Reader, Store } from '../../../src/store/store.ts'
import type { AppContext } from '../env.ts'
import { answerList, answerObject } from './answer.ts'
import { resourceVersionOf, selectionOf, type Selection } from './params.ts'
import { notFound } from './status.ts'

export interface ReadDeps {
  readonly store: Store
  readonly clock: Clock
}

/** The object that the path names. */
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
  if (object === undefined) throw notFound(kind, ref.name)
  return object
}

export const serveGet =
  (deps: ReadDeps, kind: Kind) =>
  async (c: AppContext): Promise<Response> =>
    answerObject(c, kind, await getOrThrow(deps.store, kind, refOfPath(c, kind)), deps)

export const selects = (selection: Selection, object: KubeObject): boolean =>
  (selection.labels === undefined || selection.labels(object.metadata.labels)) &&
  (selection.fields === undefined || selection.fields(object))

/** The whole selection at once, whatever the limit: `continue` is then never given and never taken. */
export const listSelected = async (
  reader: Reader,
  kind: Kind,
  selection: Selection,
): Promise<ObjectList> => {
  const list = await reader.list(
    kind.kind,
    selection.namespace === undefined ? {} : { namespace: selection.namespace },
  )
  return {
    items: list.items.filter((object) => selects(selection, object)),
    resourceVersion: list.resourceVersion,
  }
}

export const serveList =
  (deps: ReadDeps, kind: Kind) =>
  async (c: AppContext): Promise<Response> => {
    const selection = selectionOf(c, kind)
    if ((c.req.query('continue') ?? '') !== '')
      throw new StagelyError(
        'BadRequest',
        'continue key is not valid: this server answers lists whole',
      )
    const wanted = resourceVersionOf(c)
    const match = c.req.query('resourceVersionMatch') ?? ''
    if (match !== '' && wanted === undefined)
      throw new StagelyError(
        'Invalid',
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      )
    const list = await listSelected(deps.store, kind, selection)
    checkVersion(wanted, match, list.resourceVersion)
    return answerList(c, kind, list, deps.clock)
  }

const checkVersion = (wanted: number | undefined, match: string, current: number): void => {
  if (wanted === undefined) return
  if (wanted > current)
    throw new StagelyError(
      'Timeout',
      `Too large resource version: ${wanted}, current: ${current}`,
      { retryAfterSeconds: 1 },
    )
  if (match === 'Exact' && wanted !== current)
    throw new StagelyError('Expired', 'The resourceVersion for the provided list is too old.')
}
