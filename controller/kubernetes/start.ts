// A cluster as a source: its objects of the four kinds go into the store, and their status comes back.
//
// INVARIANTS
// - Nothing is removed from the store before every kind was listed whole in its namespace, and never when
//   a list lacks more than half of what there was: somebody must say that this is meant (`pruneAll`).
// - Specs in the cluster are never written; status only where it differs.
// - Nothing is written where another controller has claimed the namespace (claims.ts).
// - Nothing is written unless this replica still leads, nor over a state that was not looked at (ADR 0035).
import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '../../src/kernel/clock.ts'
import { isAbort, isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { annotations, keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'
import { startControlLoop, type LoopObserver } from '../../src/runtime/control-loop.ts'
import type { ChangeEvent, Store } from '../../src/store/store.ts'
import { createClaims, type ClaimTimes } from './claims.ts'
import { createClusterClient } from './cluster-client.ts'
import { createEventReconciler } from './events.ts'
import { followCollection } from './follow.ts'
import { createIntake, type Stream } from './intake.ts'
import { createMirror } from './mirror.ts'
import { followedKinds } from './paths.ts'
import { clusterActor, createClusterReconciler } from './reconciler.ts'
import { createRemovals } from './removals.ts'
import { createSecretValues } from './secret-values.ts'
import { createClaimTeller } from './tell-claims.ts'

export interface KubernetesSourceOptions extends LoopObserver {
  /** Asked at the start, and again when the cluster no longer takes the login. */
  readonly kubeConfig: () => KubeConfig
  /** Namespaces to follow; undefined: all. */
  readonly namespaces: readonly string[] | undefined
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** How long a watch may last, in seconds. */
  readonly watchSeconds?: number
  /** Asked right before each write to the cluster. */
  readonly mayWrite: () => boolean
  /** Believes lists that lack more than half. */
  readonly pruneAll: boolean
  /** The same for all replicas of one database, and for no other: by it namespaces are claimed. */
  readonly controllerId: string
  /** How many namespaces another controller has claimed. */
  readonly onClaimed?: (count: number) => void
  readonly claimTimes?: ClaimTimes
}

export interface KubernetesSource {
  stop(): Promise<void>
}

const isOurs = (object: KubeObject): boolean =>
  object.metadata.annotations?.[annotations.source] === clusterActor.source

export const startKubernetesSource = (options: KubernetesSourceOptions): KubernetesSource => {
  const { store, clock, namespaces } = options
  const log = options.log.child({ source: 'kubernetes' })
  const stopping = new AbortController()
  const { signal } = stopping
  const client = createClusterClient({ ...options, signal })
  const mirror = createMirror()
  const claims = createClaims({
    ...{ ...options, client, log },
    ...(options.claimTimes === undefined ? {} : { times: options.claimTimes }),
    onChange: createClaimTeller({
      ...{ ...options, client, log, actor: clusterActor },
      onClaimed: options.onClaimed ?? (() => undefined),
    }),
  })
  const enqueue = (key: string): void => {
    const { kind } = refFromKey(key)
    if (kind === 'Event') events.enqueue(key)
    else loop.enqueue(key)
  }
  const secrets = createSecretValues({
    client,
    log,
    onChange: (users) => {
      for (const key of users) enqueue(key)
    },
  })
  const { pruneAll } = options
  const intake = createIntake({ store, clock, mirror, log, namespaces, pruneAll, isOurs, enqueue })
  // One worker: a first look goes through the kinds in the order in which they need each other.
  const loop = startControlLoop(
    { ...options, log, workers: 1 },
    createClusterReconciler({
      store,
      client,
      clock,
      mirror,
      secrets,
      removals: createRemovals({ store, log, actor: clusterActor }),
      claims,
      isHeld: (key) => intake.isHeld(key),
      isOurs,
    }),
  )
  const events = startControlLoop(
    { ...options, log, workers: 1 },
    createEventReconciler({ store, client, mirror, claims }),
  )
  const follow = (stream: Stream): Promise<void> =>
    followCollection({
      client,
      path: stream.path,
      log,
      signal,
      ...(options.watchSeconds === undefined ? {} : { watchSeconds: options.watchSeconds }),
      onList: (items) => intake.onList(stream, items),
      onChange: (type, object) => {
        intake.onChange(type, object)
      },
    })

  const onStoreChange = ({ type, object }: ChangeEvent): void => {
    const isFollowed = (followedKinds as readonly string[]).includes(object.kind)
    const isNews = object.kind === 'Event' && type !== 'DELETED'
    const ref = refOf(object)
    if ((isFollowed || isNews) && intake.isReady(ref.namespace)) enqueue(keyOf(ref))
  }

  const following = followStore(options, log, signal, {
    lookAtAll: () => intake.lookAtAll(),
    onChange: onStoreChange,
  })
  const renewing = claims.renew(signal).catch(() => undefined)
  const running = [renewing, following, ...intake.streams.map(follow)]
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all([loop.stop(), events.stop(), secrets.stop(), ...running])
    },
  }
}

interface StoreFollower {
  readonly lookAtAll: () => Promise<void>
  readonly onChange: (event: ChangeEvent) => void
}

/** From now until `signal` aborts; all is looked at again where the feed broke. */
const followStore = async (
  { store, clock }: KubernetesSourceOptions,
  log: Logger,
  signal: AbortSignal,
  { lookAtAll, onChange }: StoreFollower,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      const version = await store.currentVersion()
      await lookAtAll()
      for await (const changes of store.watch(version, signal)) changes.forEach(onChange)
    } catch (error) {
      if (isAbort(error) || signal.aborted) return
      if (!isReason(error, 'Expired')) log.error({ err: error }, 'the change feed broke')
      await clock.sleep(1000, signal).catch(() => undefined)
    }
  }
}
