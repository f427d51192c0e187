// Reviews a set of objects on a cluster with the CRDs, which has no ChangeSetReview: each object is
// sent as a dry run. Only a controller knows which services would be re-created.
import { append } from '../../src/kernel/append.ts'
import { applyPatch, withLastApplied } from '../../src/manifests/merge.ts'
import type {
  ReviewChange,
  ReviewFault,
  ReviewStatus,
  WidenedKey,
} from '../../src/manifests/review.ts'
import { specOf } from '../../src/kinds/typed.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { mergePatch, pathOf, type KubeApi } from '../connect/api.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere } from '../objects/objects.ts'
import { secretIdentityOf, readStoredSecrets } from '../objects/secret-identity.ts'
import { narrowerPlaces, placeAlone } from '../../src/secrets/place.ts'

const query = { fieldManager: 'stagely', fieldValidation: 'Strict', dryRun: 'All' }

export const reviewByDryRun = async (
  api: KubeApi,
  objects: readonly KubeObject[],
): Promise<ReviewStatus> => {
  const faults: ReviewFault[] = []
  const changes: ReviewChange[] = []
  const made = new Set(objects.filter((o) => o.kind === 'Namespace').map((o) => o.metadata.name))
  for (const [index, object] of objects.entries()) {
    try {
      changes.push({ index, ...(await reviewOne(api, object, made)) })
    } catch (error) {
      if (!(error instanceof StagelyError)) throw error
      const { faults: named = [] } = error.details
      if (named.length === 0) faults.push({ index, field: '', message: error.message })
      else
        append(
          faults,
          named.map(({ field, message }) => ({ index, field, message })),
        )
    }
  }
  const widened = await widenedIn(api, objects)
  return { faults, changes, affected: [], isReachUnknown: true, widened }
}

/** Without the services: which ones run, only a controller knows. */
const widenedIn = async (api: KubeApi, objects: readonly KubeObject[]): Promise<WidenedKey[]> => {
  const secrets = objects.filter(({ kind }) => kind === 'StagelySecret')
  if (secrets.length === 0) return []
  const { placesOf } = await readStoredSecrets(api)
  return secrets.flatMap((object) => {
    const identity = secretIdentityOf(object)
    const { project, key } = identity
    if (specOf('StagelySecret', object).audience === 'Controller') return []
    const place = placeAlone(identity)
    const before = narrowerPlaces(placesOf(project, key).map(placeAlone), place)
    const { name: secret, namespace = api.namespace } = object.metadata
    const what = { namespace, project, secret, key, ...place }
    return before.length === 0 ? [] : [{ ...what, before, services: [] }]
  })
}

const reviewOne = async (
  api: KubeApi,
  object: KubeObject,
  made: ReadonlySet<string>,
): Promise<Omit<ReviewChange, 'index'>> => {
  const kind = servedKind(object.kind)
  const { name, namespace = '' } = object.metadata
  const what = { kind: kind.kind, namespace, name, valueChanged: false }
  const collection = pathOf(kind, kind.namespaced ? namespace : undefined)
  const live = await getIfThere(api, kind, namespace, name)
  if (live === undefined) {
    // An object cannot be tried in a namespace that the same set would create.
    if (!made.has(namespace))
      await api.call(collection, { method: 'POST', query, body: withLastApplied(object) })
    return { ...what, action: 'Create', fields: [] }
  }
  const patch = applyPatch(object, live)
  const fields = leavesOf(patch).filter((path) => !path.includes(annotations.lastApplied))
  if (fields.length === 0) return { ...what, action: 'Unchanged', fields }
  const call = { method: 'PATCH', query, body: patch, contentType: mergePatch } as const
  await api.call(pathOf(kind, kind.namespaced ? namespace : undefined, name), call)
  return { ...what, action: 'Update', fields }
}

/** Paths of the fields that a patch sets or removes. */
const leavesOf = (patch: object, prefix = ''): string[] =>
  Object.entries(patch).flatMap(([key, value]: [string, unknown]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leavesOf(value, path)
      : [path]
  })
