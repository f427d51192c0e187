// Reads objects, for every command that shows several.
import { isDeepStrictEqual } from 'node:util'
import { append } from '../../src/kernel/append.ts'
import type { KubeObject, requestAnnotations } from '../../src/resources/meta.ts'
import type { KindNames } from '../../src/resources/kind-names.ts'
import { StagelyError, isReason } from '../../src/kernel/errors.ts'
import { mergePatch, pathOf, type KubeApi, type KubeList } from '../connect/api.ts'
import type { KindTarget } from '../output/kinds.ts'
import { usageError } from '../errors.ts'
import { startProgress } from '../print.ts'
import { realClock, toFineTimestamp } from '../../src/kernel/clock.ts'

export interface ObjectSelection {
  readonly namespace: string | undefined
  readonly selector?: string | undefined
  /** Of fields, such as `metadata.name=shop`. */
  readonly fields?: string | undefined
  /** Which of the objects are meant; absent: all. */
  readonly isMeant?: ((object: KubeObject) => boolean) | undefined
}

/** -A: every namespace; else the namespace of the connection. */
export const objectSelection = (
  api: KubeApi,
  flags: { allNamespaces?: boolean; selector?: string },
): ObjectSelection => ({
  namespace: flags.allNamespaces === true ? undefined : api.namespace,
  selector: flags.selector,
})

export const getObject = async (
  api: KubeApi,
  kind: KindNames,
  namespace: string,
  name: string,
): Promise<KubeObject> => (await api.call(pathOf(kind, namespace, name))) as KubeObject

/** Changes the fields that the patch has; returns the object as it is then. */
export const mergePatchObject = async (
  api: KubeApi,
  { kind, namespace = api.namespace, name }: { kind: KindNames; namespace?: string; name: string },
  patch: object,
): Promise<KubeObject> => {
  const path = pathOf(kind, namespace, name)
  const call = { method: 'PATCH', body: patch, contentType: mergePatch } as const
  return (await api.call(path, call)) as KubeObject
}

/** True when the declared parts are equal. The resourceVersion may differ because of a status. */
export const isSameButStatus = (
  { metadata: a }: KubeObject,
  { metadata: b }: KubeObject,
): boolean =>
  a.uid === b.uid &&
  a.generation === b.generation &&
  isDeepStrictEqual([a.labels, a.annotations], [b.labels, b.annotations])

/** undefined when it does not exist. */
export const getIfThere = async (
  api: KubeApi,
  kind: KindNames,
  namespace: string,
  name: string,
): Promise<KubeObject | undefined> => {
  try {
    return await getObject(api, kind, namespace, name)
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}

export const listObjects = async (
  api: KubeApi,
  kind: KindNames,
  selection: ObjectSelection,
): Promise<KubeObject[]> => {
  const items: KubeObject[] = []
  let next: string | undefined
  const progress = startProgress()
  do {
    const answer = (await api.call(pathOf(kind, selection.namespace), {
      query: {
        labelSelector: selection.selector,
        fieldSelector: selection.fields,
        limit: '500',
        continue: next,
      },
    })) as KubeList
    append(items, answer.items.filter(selection.isMeant ?? (() => true)))
    next = answer.metadata.continue
    progress(`${kind.plural}: ${items.length} read`)
  } while (next !== undefined && next !== '')
  progress(undefined)
  return items
}

/** All of the name, in whichever namespace. NotFound where there is none. */
export const calledAnywhere = async (
  api: KubeApi,
  kind: KindNames,
  name: string,
): Promise<KubeObject[]> => {
  const found = await listObjects(api, kind, {
    namespace: undefined,
    fields: `metadata.name=${name}`,
  })
  if (found.length > 0) return found
  throw new StagelyError(
    'NotFound',
    `no namespace that this login sees has a ${kind.singular} "${name}"`,
  )
}

/** undefined: it is one of several, and not there. */
export type IfThere = <T>(reading: Promise<T>) => Promise<T | undefined>

/** The named objects (NotFound for a missing one, but for `ifThere`), or all objects of the selection. */
export const readTargets = async (
  api: KubeApi,
  targets: readonly KindTarget[],
  selection: ObjectSelection,
  ifThere: IfThere = (reading) => reading,
): Promise<{ kind: KindNames; object: KubeObject }[]> => {
  const found: { kind: KindNames; object: KubeObject }[] = []
  for (const { kind, names } of targets) {
    if (names.length > 0 && selection.selector !== undefined) {
      throw usageError('give names or -l, not both')
    }
    for (const name of names) {
      const isEverywhere = selection.namespace === undefined && kind.namespaced
      const reading = isEverywhere
        ? calledAnywhere(api, kind, name)
        : getObject(api, kind, selection.namespace ?? '', name).then((object) => [object])
      for (const object of (await ifThere(reading)) ?? []) found.push({ kind, object })
    }
    if (names.length === 0) {
      const objects = await listObjects(api, kind, selection)
      append(
        found,
        objects.map((object) => ({ kind, object })),
      )
    }
  }
  return found
}

interface RequestedAction {
  /** The object as it is with the request. */
  readonly object: KubeObject
  /** The text of the annotation. A status that repeats this text says that the action is done. */
  readonly request: string
}

/** `details`: what the action is for, such as keys of a store. */
export const requestAction = async (
  api: KubeApi,
  target: { readonly kind: KindNames; readonly name: string },
  annotation: (typeof requestAnnotations)[number],
  details: readonly string[] = [],
): Promise<RequestedAction> => {
  const request = [toFineTimestamp(realClock.now()), ...details].join('\n')
  const patch = { metadata: { annotations: { [annotation]: request } } }
  return { object: await mergePatchObject(api, target, patch), request }
}
