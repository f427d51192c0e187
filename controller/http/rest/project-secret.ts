// The secret that a path below a project names.
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { SecretSpec } from '../../../src/resources/stagelysecret.ts'
import type { Store } from '../../../src/store/store.ts'
import { notFound } from './access.ts'
import { parseId } from './ids.ts'

/** By `sec_…`, or by its name. NotFound for one of another project, in the same words. */
export const findProjectSecret = async (
  store: Store,
  project: KubeObject,
  given: string,
): Promise<KubeObject> => {
  const uid = parseId('StagelySecret', given)
  const { namespace = '', name } = project.metadata
  const object =
    uid === undefined
      ? await store.get({ kind: 'StagelySecret', namespace, name: given })
      : await store.getByUid('StagelySecret', uid)
  const spec = object?.spec as SecretSpec | undefined
  const isHere = object?.metadata.namespace === namespace && spec?.projectRef.name === name
  if (object === undefined || !isHere) throw notFound('secret', given)
  return object
}
