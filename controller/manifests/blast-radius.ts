// Which services a change of secrets affects: compares their digests before and after, computed by the
// function that also makes the agents' labels. Pure, except for reading the situation.
import type { AffectedService, CascadedService, ReviewChange } from '../../src/manifests/review.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { valueFields } from '../../src/resources/secret-value.ts'
import type { StageletSpec, StageletStatus } from '../../src/resources/stagelet.ts'
import { serviceDigest } from '../../src/secrets/digest.ts'
import { visibleTo, type SetEntry } from '../../src/secrets/visible.ts'
import type { Reader } from '../../src/store/store.ts'
import type { Applied } from './apply-object.ts'

export interface Situation {
  readonly stagelets: readonly KubeObject[]
  /** Head set of each project, by `namespace/name`. */
  readonly sets: ReadonlyMap<string, readonly SetEntry[]>
}

const projectOf = (object: KubeObject): string | undefined =>
  (object.spec as { projectRef?: { name?: string } } | undefined)?.projectRef?.name

const projectKey = (object: KubeObject): string =>
  `${object.metadata.namespace ?? ''}/${projectOf(object) ?? ''}`

/** Reads the stagelets in the namespaces of the objects, and the sets of their projects. */
export const readSituation = async (
  reader: Reader,
  objects: readonly KubeObject[],
): Promise<Situation> => {
  const namespaces = new Set(objects.map((object) => object.metadata.namespace ?? ''))
  const stagelets: KubeObject[] = []
  for (const namespace of namespaces) {
    if (namespace === '') continue
    stagelets.push(...(await reader.list('Stagelet', { namespace })).items)
  }
  const sets = new Map<string, readonly SetEntry[]>()
  for (const object of [...objects, ...stagelets]) {
    const key = projectKey(object)
    const name = projectOf(object)
    if (name === undefined || sets.has(key)) continue
    const namespace = object.metadata.namespace ?? ''
    const project = await reader.get({ kind: 'Project', namespace, name })
    const uid = project?.metadata.uid
    sets.set(key, uid === undefined ? [] : (await reader.readSet(uid, 'head')).entries)
  }
  return { stagelets, sets }
}

/** Services whose digest differs. Only services in an agent's report are known. */
export const affectedServices = (before: Situation, after: Situation): AffectedService[] => {
  const old = new Map(before.stagelets.map((s) => [s.metadata.uid, s]))
  return after.stagelets.flatMap((stagelet) => {
    const previous = old.get(stagelet.metadata.uid)
    if (previous === undefined) return []
    const { services = [] } = (stagelet.status ?? {}) as StageletStatus
    return services.flatMap(({ name }) => {
      const was = visibleTo(
        name,
        stagelet.metadata.name,
        before.sets.get(projectKey(previous)) ?? [],
      )
      const will = visibleTo(
        name,
        stagelet.metadata.name,
        after.sets.get(projectKey(stagelet)) ?? [],
      )
      if (serviceDigest(was) === serviceDigest(will)) return []
      return [hitOf(stagelet as KubeObject<StageletSpec>, name, was, will)]
    })
  })
}

/**
 * Services that see no change and are still re-created, by every version of Compose: they refer to the
 * id of a container of `affected`. A service that only has a `depends_on` is not re-created: the agent
 * works in steps.
 */
export const cascadedServices = (
  { stagelets }: Pick<Situation, 'stagelets'>,
  affected: readonly AffectedService[],
): CascadedService[] =>
  stagelets.flatMap((stagelet) => {
    const { name, namespace = '' } = stagelet.metadata
    const { services = [] } = (stagelet.status ?? {}) as StageletStatus
    const hit = new Set(
      affected
        .filter((a) => a.stagelet === name && a.namespace === namespace)
        .map((a) => a.service),
    )
    const found: CascadedService[] = []
    for (let before = -1; before !== hit.size;) {
      before = hit.size
      for (const service of services) {
        const shared = (service.sharesWith ?? []).filter((other) => hit.has(other))
        if (hit.has(service.name) || shared.length === 0) continue
        hit.add(service.name)
        found.push({ namespace, stagelet: name, service: service.name, with: shared })
      }
    }
    return found
  })

const hitOf = (
  stagelet: KubeObject<StageletSpec>,
  service: string,
  was: readonly SetEntry[],
  will: readonly SetEntry[],
): AffectedService => {
  const old = new Map(was.map((entry) => [entry.key, entry.valueDigest]))
  const now = new Map(will.map((entry) => [entry.key, entry.valueDigest]))
  const added = [...now.keys()].filter((key) => !old.has(key))
  const removed = [...old.keys()].filter((key) => !now.has(key))
  const changed = [...now].filter(([key, digest]) => old.has(key) && old.get(key) !== digest)
  const reasons = [
    ...(changed.length > 0 ? ['new value'] : []),
    ...(added.length > 0 ? ['new key'] : []),
    ...(removed.length > 0 ? ['key gone'] : []),
  ]
  return {
    namespace: stagelet.metadata.namespace ?? '',
    stagelet: stagelet.metadata.name,
    service,
    keys: [...changed.map(([key]) => key), ...added, ...removed].sort(),
    reason: reasons.join(', '),
  }
}

const hidden = new Set([
  ...valueFields.map((field) => `spec.${field}`),
  `metadata.annotations.${annotations.lastApplied}`,
])

/** Paths of the leaves of a patch. */
const leavesOf = (patch: unknown, path = ''): string[] => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return [path]
  return Object.entries(patch).flatMap(([key, value]) =>
    leavesOf(value, path === '' ? key : `${path}.${key}`),
  )
}

export const changeOf = (
  index: number,
  applied: Applied,
  before: Situation,
  after: Situation,
): ReviewChange => {
  const { metadata, kind } = applied.after
  const moved = applied.before?.metadata.resourceVersion !== metadata.resourceVersion
  const valueChanged =
    kind === 'StagelySecret' && digestIn(before, applied.after) !== digestIn(after, applied.after)
  const fields = leavesOf(applied.patch).filter((field) => field !== '' && !hidden.has(field))
  const differs = valueChanged || fields.length > 0 || moved
  return {
    index,
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    action: applied.before === undefined ? 'Create' : differs ? 'Update' : 'Unchanged',
    fields,
    valueChanged,
  }
}

const digestIn = (situation: Situation, secret: KubeObject): string | undefined =>
  situation.sets.get(projectKey(secret))?.find((entry) => entry.name === secret.metadata.name)
    ?.valueDigest
