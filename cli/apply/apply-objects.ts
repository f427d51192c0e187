// Writes objects by apply's three-way merge, all in one change set.
import { randomUUID } from 'node:crypto'
import { applyPatch, withLastApplied } from '../../src/manifests/merge.ts'
import { isReason } from '../../src/kernel/errors.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { mergePatch, pathOf, type KubeApi } from '../connect/api.ts'
import { fullName, servedKind } from '../output/kinds.ts'
import { getIfThere, isSameButStatus, listObjects } from '../objects/objects.ts'
import { note, out } from '../print.ts'
import { inReferenceGroups } from './reference-order.ts'

/** Writes at a time: those that wait for the controller share its commits. */
const writers = 4
/** A list costs more than a few reads of single objects. */
const fewReads = 5
const progressEvery = 100

/**
 * `more` are headers of each write. Writes by order of kinds, secrets after the secrets that they refer to; prints a line for each
 * object.
 */
export const applyObjects = async (
  api: KubeApi,
  objects: readonly KubeObject[],
  more: Record<string, string> = {},
): Promise<void> => {
  const find = await createFinder(api, objects)
  const change = { id: randomUUID(), more, find }
  const orders = [...new Set(objects.map(({ kind }) => servedKind(kind).applyOrder))]
  const groups = orders
    .sort((a, b) => a - b)
    .flatMap((order) =>
      inReferenceGroups(objects.filter(({ kind }) => servedKind(kind).applyOrder === order)),
    )
  const last = groups.at(-1)?.pop()
  const show = shower(objects.length)
  for (const group of groups) await inTurns(group, (object) => applyOne(api, object, change), show)
  if (last !== undefined) show(await applyOne(api, last, { ...change, isLast: true }))
}

/** Prints each line; of many, how far it is. */
const shower = (all: number): ((line: string) => void) => {
  let done = 0
  return (line) => {
    out(line)
    done += 1
    if (done % progressEvery === 0) note(`${done} of ${all} objects are written.`)
  }
}

/** Tells results in order. After a failure nothing more is begun, and what was begun ends first. */
const inTurns = async <T, R extends string>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  tell: (result: R) => void,
): Promise<void> => {
  const results: R[] = []
  const faults: unknown[] = []
  const waiting = items.entries()
  let toldCount = 0
  const turn = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      if (faults.length > 0) return
      try {
        results[index] = await work(item)
      } catch (error) {
        faults.push(error)
      }
      for (let next = results[toldCount]; next !== undefined; next = results[++toldCount])
        tell(next)
    }
  }
  await Promise.all(Array.from({ length: writers }, turn))
  if (faults.length > 0) throw faults[0]
}

type Find = (object: KubeObject, isAgain: boolean) => Promise<KubeObject | undefined>

/** Reads what is there: many objects of a kind and namespace by one list, few by themselves, and each one again by itself. */
const createFinder = async (api: KubeApi, objects: readonly KubeObject[]): Promise<Find> => {
  const placeOf = ({ kind, metadata: { namespace = '' } }: KubeObject): string =>
    `${kind} ${namespace}`
  const lists = new Map<string, ReadonlyMap<string, KubeObject>>()
  for (const [place, sample] of new Map(objects.map((object) => [placeOf(object), object]))) {
    if (objects.filter((object) => placeOf(object) === place).length <= fewReads) continue
    const kind = servedKind(sample.kind)
    const namespace = kind.namespaced ? sample.metadata.namespace : undefined
    const found = await listObjects(api, kind, { namespace })
    lists.set(place, new Map(found.map((object) => [object.metadata.name, object])))
  }
  return async (object, isAgain) => {
    const list = isAgain ? undefined : lists.get(placeOf(object))
    const { name, namespace = '' } = object.metadata
    if (list !== undefined) return list.get(name)
    return await getIfThere(api, servedKind(object.kind), namespace, name)
  }
}

interface Change {
  readonly id: string
  readonly more: Record<string, string>
  readonly find: Find
  readonly isLast?: boolean
}

/**
 * Writes one object by three-way merge. When it ends the change set, it is sent even without a
 * difference: the server then closes the set and keeps the resourceVersion.
 */
const applyOne = async (
  api: KubeApi,
  manifest: KubeObject,
  { id, more, find, isLast = false }: Change,
): Promise<string> => {
  const kind = servedKind(manifest.kind)
  const headers = { 'Stagely-Change-Set': `${id}; last=${isLast}`, ...more }
  const textOf = (verdict: 'created' | 'configured' | 'unchanged'): string =>
    `${fullName(kind, manifest.metadata.name)} ${verdict}`
  const namespace = manifest.metadata.namespace ?? ''
  const query = { fieldManager: 'stagely', fieldValidation: 'Strict' }
  for (let attempt = 0; ; attempt++) {
    const live = await find(manifest, attempt > 0)
    try {
      if (live === undefined) {
        const path = pathOf(kind, kind.namespaced ? namespace : undefined)
        await api.call(path, { method: 'POST', query, headers, body: withLastApplied(manifest) })
        return textOf('created')
      }
      const patch = applyPatch(manifest, live)
      if (Object.keys(patch).length === 0 && !isLast) return textOf('unchanged')
      const path = pathOf(kind, kind.namespaced ? namespace : undefined, manifest.metadata.name)
      const call = {
        method: 'PATCH',
        query,
        headers,
        body: patch,
        contentType: mergePatch,
      } as const
      const after = (await api.call(path, call)) as KubeObject
      return textOf(isSameButStatus(after, live) ? 'unchanged' : 'configured')
    } catch (error) {
      // Another writer was faster between the read and the write: read again, as kubectl does.
      const raced = isReason(error, 'AlreadyExists') || isReason(error, 'Conflict')
      if (!raced || attempt >= 4) throw error
    }
  }
}
