// The loops that only the leader runs. They are started anew in each term, and their writes to the store carry the
// term. Loops that any replica may run are elsewhere: signing audit rows (under the lock of the chain), and key
// rotations that are under way (each under a lease of its own). Which keys are due is looked after here.
import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '../src/kernel/clock.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { Opened } from '../src/store/open/open-store.ts'
import { dashboardOf, type Config } from './config.ts'
import { startDailyBackups } from './backups.ts'
import { startAccessRequests } from './access-requests.ts'
import { startSweep } from './http/agents/streams/replicas.ts'
import type { Egress } from './egress/gate.ts'
import type { Metrics } from './http/metrics/metrics.ts'
import type { RotationMetrics } from './rotators/metrics.ts'
import { startKubernetesSource } from './kubernetes/start.ts'
import type { Loops } from './leader.ts'
import { startKeyRotation } from './keys/start.ts'
import { startOffBoarding } from './off-boarding.ts'
import { startFolderSource } from './manifests/watch-folder.ts'
import { createMailer } from './notify/mail.ts'
import { startNotifyPerformer } from './notify/performer.ts'
import type { SealingKeys } from './keys/sealing.ts'
import { openerWith, type StoreMeans } from './stores/opener.ts'
import { startStores } from './stores/performer.ts'
import { startReconcilers } from './reconcilers/start.ts'
import { createRotatorOpener, type RotatorOpenerDeps } from './rotators/providers/opener.ts'
import type { LookElsewhere } from './where/elsewhere.ts'
import { startRotationPerformer } from './rotators/performer.ts'

export interface LoopsDeps
  extends
    Pick<
      Opened,
      'sql' | 'store' | 'connections' | 'outbox' | 'staged' | 'keys' | 'audit' | 'principals'
    >,
    Pick<
      Metrics,
      'onKeysDue' | 'onRun' | 'onManifestFaults' | 'onClaimed' | 'onPropagated' | 'ofStores'
    >,
    RotationMetrics,
    Pick<RotatorOpenerDeps, 'tasks'> {
  readonly lookElsewhere: LookElsewhere
  /** Id of the database. */
  readonly controllerId: string
  /** The cluster to follow; undefined: none. */
  readonly kubeConfig: (() => KubeConfig) | undefined
  readonly egress: Egress
  readonly storeMeans: StoreMeans
  readonly sealing: SealingKeys
  /** Whether the lease is still valid: for writes to a cluster, which knows no terms. */
  readonly leads: () => boolean
  readonly clock: Clock
  readonly log: Logger
}

/** `term` undefined: there are no other replicas. */
export const startLoops = (
  {
    manifestsDir: dir,
    pruneAll,
    kubernetes,
    smtp,
    keys: { rotatesKeys },
    ...config
  }: Pick<
    Config,
    | ('manifestsDir' | 'pruneAll' | 'kubernetes' | 'smtp' | 'keys' | 'dashboard' | 'advertiseUrl')
    | ('dataDir' | 'keptBackups')
  >,
  deps: LoopsDeps,
  term: number | undefined,
): Loops => {
  const store = term === undefined ? deps.store : deps.store.asLeader(term)
  const keys = term === undefined ? deps.keys : deps.keys.asLeader(term)
  const common = { ...deps, store, keys }
  const loops: Loops[] = [
    startReconcilers(common),
    startSweep(common),
    startRotationPerformer({ ...common, openRotator: createRotatorOpener(common) }),
    startKeyRotation({ ...common, rotatesKeys }),
    startOffBoarding(common),
    startAccessRequests(common),
    startNotifyPerformer({
      ...common,
      term,
      mail: smtp && createMailer(smtp),
      dashboard: dashboardOf(config),
    }),
    startStores({
      ...common,
      ...deps.ofStores,
      open: openerWith(deps),
      budgets: deps.storeMeans.budgets,
    }),
  ]
  const { dataDir, keptBackups: kept } = config
  if (kept !== undefined) loops.push(startDailyBackups(common, { dataDir, kept }))
  const { kubeConfig, leads } = deps
  const { onManifestFaults: onFaults } = deps
  if (dir !== undefined) loops.push(startFolderSource({ ...common, dir, pruneAll, onFaults }))
  if (kubernetes !== undefined && kubeConfig !== undefined) {
    const { namespaces } = kubernetes
    loops.push(
      startKubernetesSource({ ...common, kubeConfig, namespaces, pruneAll, mayWrite: leads }),
    )
  }
  return {
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}
