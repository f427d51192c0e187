// A cluster as a source: its objects of all kinds are stored, and their status is written back.
//
// INVARIANTS
// - Nothing is removed from the store before every kind of the namespace was listed completely. Nothing
//   is removed when a list lacks more than half of the known objects, unless `pruneAll` is set.
// - Specs in the cluster are never written; a status only when it differs.
// - Nothing is written in a namespace that another controller has claimed (claims.ts).
// - Nothing is written unless this replica still leads, nor over a state that was not read (ADR 0035).
import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { keyOf, refFromKey, refOf } from '../../src/resources/meta.ts'
import { startControlLoop, type LoopObserver } from '../../src/runtime/control-loop.ts'
import type { ChangeEvent, Store } from '../../src/store/store.ts'
import { followStore } from '../follow-store.ts'
import { createClaims, type ClaimTimes } from './claims.ts'
import { createClusterClient } from './cluster-client.ts'
import { createEventReconciler } from './events.ts'
import { followCollection } from './follow.ts'
import { createIntake, type ClusterStream } from './intake.ts'
import { createClusterObjects } from './mirror.ts'
import { crdKinds } from '../../src/kinds/index.ts'
import { clusterActor, createClusterReconciler } from './reconciler.ts'
import { createRemovals } from './removals.ts'
import { createSecretValues } from './secret-values.ts'
import { createClaimReporter } from './report-claims.ts'
import { createFollowReporter } from './report-follow.ts'

interface KubernetesSourceOptions extends LoopObserver {
  /** Called at the start, and again when the cluster refuses the credentials. */
  readonly kubeConfig: () => KubeConfig
  /** Namespaces to follow; undefined: all. */
  readonly namespaces: readonly string[] | undefined
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** How long a watch may last, in seconds. */
  readonly watchSeconds?: number
  /** Called right before each write to the cluster. */
  readonly mayWrite: () => boolean
  /** True: trust lists that lack more than half of the known objects. */
  readonly pruneAll: boolean
  /**
   * Id of the database, by which namespaces are claimed. All replicas of one database have the same
   * one.
   */
  readonly controllerId: string
  /** Called with the number of namespaces that another controller has claimed. */
  readonly onClaimed?: (count: number) => void
  readonly claimTimes?: ClaimTimes
}

export interface KubernetesSource {
  stop(): Promise<void>
}

export const startKubernetesSource = (options: KubernetesSourceOptions): KubernetesSource => {
  const { store, clock, namespaces } = options
  const log = options.log.child({ source: 'kubernetes' })
  const stopping = new AbortController()
  const { signal } = stopping
  const client = createClusterClient({ ...options, signal })
  const mirror = createClusterObjects()
  const claims = createClaims({
    ...options,
    client,
    log,
    ...defined({ times: options.claimTimes }),
    onChange: createClaimReporter({
      ...options,
      client,
      log,
      actor: clusterActor,
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
  const intake = createIntake({ store, clock, mirror, log, namespaces, pruneAll, enqueue })
  const deps = { store, client, clock, mirror, claims }
  const removals = createRemovals({ store, log, actor: clusterActor })
  // One worker: the first pass handles the kinds in order, so that references exist.
  const loop = startControlLoop(
    { ...options, log, workers: 1 },
    createClusterReconciler({
      ...deps,
      secrets,
      removals,
      isHeld: (key) => intake.isHeld(key),
    }),
  )
  const events = startControlLoop({ ...options, log, workers: 1 }, createEventReconciler(deps))
  const reporter = createFollowReporter({ store, clock, log, actor: clusterActor }, intake.streams)
  const follow = (stream: ClusterStream): Promise<void> =>
    followCollection({
      client,
      path: stream.path,
      log,
      signal,
      ...defined({ watchSeconds: options.watchSeconds }),
      onList: (items) => intake.onList(stream, items),
      onChange: (type, object) => intake.onChange(type, object),
      ...reporter.of(stream),
    })

  const onStoreChange = ({ type, object }: ChangeEvent): void => {
    const isFollowed = crdKinds.some(({ kind }) => kind === object.kind)
    const isNews = object.kind === 'Event' && type !== 'DELETED'
    const ref = refOf(object)
    if ((isFollowed || isNews) && intake.isReady(ref.namespace)) enqueue(keyOf(ref))
  }

  const following = followStore({ store, clock, log }, signal, {
    readAll: () => intake.lookAtAll(),
    onChanges: (changes) => changes.forEach(onStoreChange),
  })
  const renewing = claims.renew(signal).catch(() => undefined)
  const running = [renewing, following, ...intake.streams.map(follow)]
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all([loop.stop(), events.stop(), secrets.stop(), ...running])
      await reporter.ended()
    },
  }
}
