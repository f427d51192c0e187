// Receives lists and changes from the cluster, and decides which absences can be trusted.
import type { Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { clusterSource } from '../../src/store/core/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { isSuspect, listOwned } from '../sources/owned.ts'
import { isYoung } from './events.ts'
import type { ClusterObjects } from './mirror.ts'
import { crdKinds } from '../../src/kinds/index.ts'
import { collectionPath } from './paths.ts'

/** One followed collection. */
export interface ClusterStream {
  readonly kind: string
  readonly namespace: string | undefined
  readonly path: string
}

interface IntakeDeps {
  readonly store: Store
  readonly clock: Clock
  readonly mirror: ClusterObjects
  readonly log: Logger
  /** undefined: all. */
  readonly namespaces: readonly string[] | undefined
  readonly pruneAll: boolean
  readonly enqueue: (key: string) => void
}

interface Intake {
  readonly streams: readonly ClusterStream[]
  /** Rejects when the store cannot be read: list again. */
  onList(stream: ClusterStream, items: readonly KubeObject[]): Promise<void>
  onChange(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void
  /**
   * True once every kind of the namespace was listed completely: before, an absent object means
   * nothing.
   */
  isReady(namespace: string): boolean
  /** True for keys whose object stays in the store although the cluster does not list it. */
  isHeld(key: string): boolean
  /**
   * Enqueues the keys of all objects on both sides, and of events that the cluster may have missed, in
   * all ready namespaces.
   */
  lookAtAll(): Promise<void>
}

export const createIntake = (deps: IntakeDeps): Intake => {
  const { mirror, namespaces, enqueue } = deps
  const streams = crdKinds.flatMap(({ kind }) =>
    (namespaces ?? [undefined]).map((namespace) => ({
      kind,
      namespace,
      path: collectionPath(kind, namespace),
    })),
  )
  const unlisted = new Set<ClusterStream>(streams)
  const held = new Set<string>()
  const isFollowed = (key: string): boolean =>
    namespaces === undefined || namespaces.includes(refFromKey(key).namespace)
  const isOf = (stream: ClusterStream, namespace: string): boolean =>
    (stream.namespace ?? namespace) === namespace
  // A namespace that cannot be read delays no other: there are no references between namespaces.
  const isReady = (namespace: string): boolean =>
    ![...unlisted].some((stream) => isOf(stream, namespace))

  /** `namespace` as in the streams. */
  const lookAt = async (namespace: string | undefined): Promise<void> => {
    if ([...unlisted].some((stream) => stream.namespace === namespace)) return
    for (const { kind } of crdKinds) {
      for (const key of await ownedKeys(deps, kind, namespace)) enqueue(key)
      for (const object of mirror.list(kind)) {
        const ref = refOf(object)
        if ((namespace ?? ref.namespace) === ref.namespace) enqueue(keyOf(ref))
      }
    }
    for (const event of (await deps.store.list('Event', defined({ namespace }))).items)
      if (isYoung(event, deps.clock)) enqueue(keyOf(refOf(event)))
  }

  const settle = async (stream: ClusterStream): Promise<void> => {
    const { kind, namespace } = stream
    const unknown = (key: string): boolean =>
      [...unlisted].some(
        (other) =>
          other !== stream && other.kind === kind && isOf(other, refFromKey(key).namespace),
      )
    const owned = (await ownedKeys(deps, kind)).filter((key) => isFollowed(key) && !unknown(key))
    const wasHeld = owned.filter((key) => held.delete(key))
    for (const key of suspectAbsences(deps, kind, owned)) held.add(key)
    unlisted.delete(stream)
    // A key that is trusted now may have been skipped before.
    for (const key of wasHeld) if (isReady(refFromKey(key).namespace)) enqueue(key)
    await lookAt(namespace)
  }

  return {
    streams,
    onList: (stream, items) => {
      mirror.replace(stream.kind, stream.namespace, items)
      return settle(stream)
    },
    onChange: (type, object) => {
      const key = keyOf(refOf(object))
      if (!mirror.change(type, object)) return
      held.delete(key)
      if (isReady(refFromKey(key).namespace)) enqueue(key)
    },
    isReady,
    isHeld: (key) => held.has(key) || !isFollowed(key),
    lookAtAll: async () => {
      for (const namespace of namespaces ?? [undefined]) await lookAt(namespace)
    },
  }
}

const ownedKeys = async (
  { store }: IntakeDeps,
  kind: string,
  namespace?: string,
): Promise<string[]> =>
  (await listOwned(store, clusterSource, { kind, namespace })).map((object) => keyOf(refOf(object)))

/** A list that lacks most of the known objects is more likely a mistake than meant. */
const suspectAbsences = (deps: IntakeDeps, kind: string, owned: readonly string[]): string[] => {
  const gone = owned.filter((key) => deps.mirror.get(key) === undefined)
  if (!isSuspect(gone, owned) || deps.pruneAll) return []
  deps.log.error(
    { kind, gone: gone.length, of: owned.length },
    'the cluster no longer has most of these objects; they are kept. Delete them in the cluster one by one while the controller runs, or start it with --prune-all',
  )
  return gone
}
