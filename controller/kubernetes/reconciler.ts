// Reconciles one object: its spec from the cluster to the store, its status from the store to the
// cluster. A key only names the object. Both sides are read anew each time, and nothing is written that
// is right already.
import { toTimestamp, type Clock } from '../../src/kernel/clock.ts'
import { faultsOf, isReason, StagelyError } from '../../src/kernel/errors.ts'
import type { NewCondition } from '../../src/resources/conditions.ts'
import {
  keyOf,
  refFromKey,
  refOf,
  type KubeObject,
  type ObjectRef,
} from '../../src/resources/meta.ts'
import {
  noState,
  done,
  stalled,
  waitFor,
  type ReconcileOutcome,
  type Reconciler,
} from '../../src/runtime/control-loop.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import { clusterSource } from '../../src/store/core/errors.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import {
  toStoreObject,
  clusterFinalizer,
  isUpToDate,
  isSameOrigin,
  refusalCondition,
  refusePlainValue,
  secretKeyRefOf,
  type ClusterSecretValue,
} from './store-object.ts'
import { applyMirrored } from '../sources/apply-object.ts'
import { isOwnedBy } from '../sources/owned.ts'
import type { Claims } from './claims.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { ClusterObjects } from './mirror.ts'
import { afterRetryAfter } from './retry-after.ts'
import { objectPath } from './paths.ts'
import type { Removals } from './removals.ts'
import type { SecretValues } from './secret-values.ts'
import { clusterStatus } from './status.ts'

export const clusterActor: Actor = { name: 'kubernetes', source: clusterSource, authority: 'whole' }

interface ClusterReconcilerDeps {
  readonly store: Store
  readonly client: ClusterClient
  readonly clock: Clock
  readonly mirror: ClusterObjects
  readonly secrets: SecretValues
  readonly removals: Removals
  readonly claims: Pick<Claims, 'refused'>
  /** True for keys whose absence from the cluster is not trusted. */
  readonly isHeld: (key: string) => boolean
}

/**
 * An object that is needed may arrive a moment later on another watch. A missing one is reported only
 * after this many attempts.
 */
const patience = 6
const againMs = 250
/**
 * The store removes an object's last finalizer without notifying this reconciler: look again after this
 * time.
 */
const keptMs = 10_000

export const createClusterReconciler = (deps: ClusterReconcilerDeps): Reconciler => {
  const { store, mirror, secrets } = deps
  const waits = new Map<string, number>()

  const reconcile = async (key: string): Promise<ReconcileOutcome> => {
    const ref = refFromKey(key)
    const object = mirror.get(key)
    const stored = await storedOf(store, ref)
    if (object === undefined) {
      secrets.release(key)
      waits.delete(key)
      if (stored === undefined || deps.isHeld(key)) return done
      const others = await deps.claims.refused(ref.namespace, { ends: true })
      if (others !== undefined) return waitFor(others)
      return (await deps.removals.remove(ref)) === undefined ? done : waitFor(keptMs)
    }
    const ends = object.metadata.deletionTimestamp !== undefined
    const others = await deps.claims.refused(ref.namespace, { ends })
    if (others !== undefined) return waitFor(others)
    if (ends) return removeFromStore(deps, object, stored)
    if (stored !== undefined && !isSameOrigin(stored, object)) {
      // Deleted and created again between two looks: the old object is removed first.
      const why = await deps.removals.remove(ref)
      if (why === undefined) return waitFor(againMs)
      await showStatus(deps, object, refusalCondition(object, 'Conflict', why))
      return waitFor(keptMs)
    }
    await ensureFinalizer(deps, object)
    const { refused, retry } = await carryOver(deps, object, stored, key)
    const tries = retry ? (waits.get(key) ?? 0) + 1 : 0
    if (tries === 0) waits.delete(key)
    else waits.set(key, tries)
    if (tries > 0 && tries < patience) return waitFor(againMs)
    await showStatus(deps, object, refused)
    if (tries > 0) return waitFor(Math.min(60_000, againMs * 2 ** (tries - patience)))
    return refused === undefined ? done : stalled
  }

  return {
    name: 'kubernetes',
    notKnown: noState,
    reconcile: (key) => afterRetryAfter(() => reconcile(key)),
  }
}

/** The stored object, where the cluster owns it. */
const storedOf = async (store: Store, ref: ObjectRef): Promise<KubeObject | undefined> => {
  const object = await store.get(ref)
  return object !== undefined && isOwnedBy(object, clusterSource) ? object : undefined
}

interface Carried {
  readonly refused: NewCondition | undefined
  /** True when the missing object may still arrive. */
  readonly retry: boolean
}

const taken: Carried = { refused: undefined, retry: false }

const carryOver = async (
  { store, secrets }: ClusterReconcilerDeps,
  object: KubeObject,
  stored: KubeObject | undefined,
  key: string,
): Promise<Carried> => {
  const plain = refusePlainValue(object)
  if (plain !== undefined) return { refused: plain, retry: false }
  const ref = secretKeyRefOf(object)
  let value: ClusterSecretValue | undefined
  if (ref === undefined) secrets.release(key)
  else {
    value = secrets.read(key, object.metadata.namespace ?? 'default', ref)
    if (value === undefined)
      return {
        refused: refusalCondition(object, 'ValueMissing', `reading the Secret ${ref.name}`),
        retry: true,
      }
    if ('missing' in value)
      return { refused: refusalCondition(object, 'ValueMissing', value.missing), retry: false }
  }
  if (stored !== undefined && isUpToDate(stored, toStoreObject(object, value, stored))) return taken
  try {
    await store.write(clusterActor, {}, (tx) =>
      applyMirrored(tx, clusterSource, refOf(object), (before) =>
        toStoreObject(object, value, before),
      ),
    )
    return taken
  } catch (error) {
    return refusedBy(error, object)
  }
}

const refusedBy = (error: unknown, object: KubeObject): Carried => {
  if (!(error instanceof StagelyError)) throw error
  if (error.reason === 'InternalError' || error.reason === 'ServiceUnavailable') throw error
  const message = faultsOf(error)
    .map((fault) => (fault.field === '' ? fault.message : `${fault.field}: ${fault.message}`))
    .join('; ')
  // These may pass; other faults are faults of the object.
  const retry = ['NotFound', 'Conflict', 'SameAsProduction'].includes(error.reason)
  return { refused: refusalCondition(object, error.reason, message), retry }
}

/** Deletes in the store an object that is being deleted in the cluster; the store's own rules apply. */
const removeFromStore = async (
  deps: ClusterReconcilerDeps,
  object: KubeObject,
  stored: KubeObject | undefined,
): Promise<ReconcileOutcome> => {
  deps.secrets.release(keyOf(refOf(object)))
  if (stored !== undefined && stored.metadata.deletionTimestamp === undefined) {
    const why = await deps.removals.remove(refOf(object))
    if (why !== undefined) {
      await showStatus(deps, object, refusalCondition(object, 'Conflict', why))
      return waitFor(keptMs)
    }
  }
  if ((await storedOf(deps.store, refOf(object))) !== undefined) {
    // The feed reports when the agent has released it; until then the cluster shows the status.
    await showStatus(deps, object, undefined)
    return done
  }
  const finalizers = object.metadata.finalizers ?? []
  if (finalizers.includes(clusterFinalizer))
    await patchFinalizers(
      deps,
      object,
      finalizers.filter((f) => f !== clusterFinalizer),
    )
  return done
}

const ensureFinalizer = async (deps: ClusterReconcilerDeps, object: KubeObject): Promise<void> => {
  const finalizers = object.metadata.finalizers ?? []
  if (object.kind !== 'Stagelet' || finalizers.includes(clusterFinalizer)) return
  await patchFinalizers(deps, object, [...finalizers, clusterFinalizer])
}

const patchFinalizers = (
  deps: ClusterReconcilerDeps,
  object: KubeObject,
  finalizers: readonly string[],
): Promise<void> => {
  const { uid, resourceVersion } = object.metadata
  // The version makes the write a compare-and-set: other programs add finalizers too.
  const patch = { metadata: { uid, resourceVersion, finalizers } }
  return send(deps, object, { path: '', patch, type: 'application/merge-patch+json' })
}

/** Patches the object. Nothing is to be done for one that is gone. */
const send = async (
  { client, mirror }: ClusterReconcilerDeps,
  object: KubeObject,
  { path, patch, type }: { path: '' | '/status'; patch: unknown; type: string },
): Promise<void> => {
  try {
    const answer = await client.patch(`${objectPath(refOf(object))}${path}`, patch, type)
    // The answer is newer than the watch: otherwise the next look would write the same again.
    if (mirror.get(keyOf(refOf(object))) === object) mirror.put(answer as KubeObject)
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}

const showStatus = async (
  deps: ClusterReconcilerDeps,
  listed: KubeObject,
  refused: NewCondition | undefined,
): Promise<void> => {
  const { store, clock, mirror } = deps
  const ref = refOf(listed)
  // Adding the finalizer has made a newer version.
  const object = mirror.get(keyOf(ref)) ?? listed
  const held = await storedOf(store, ref)
  const stored = held !== undefined && isSameOrigin(held, object) ? held : undefined
  const status = clusterStatus(stored, object.status, refused, toTimestamp(clock.now()))
  if (status === undefined || sameJson(status, object.status ?? {})) return
  // The version makes the write a compare-and-set: Conflict when the object has changed or was
  // replaced.
  const patch = [
    { op: 'add', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
    { op: 'add', path: '/status', value: status },
  ]
  await send(deps, object, { path: '/status', patch, type: 'application/json-patch+json' })
}
