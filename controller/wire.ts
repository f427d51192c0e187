// The composition root: builds the controller from its configuration, and stops the parts in reverse
// order.
import { background, logFault } from '../src/kernel/async/background.ts'
import { Hono } from 'hono'
import type { Clock } from '../src/kernel/clock.ts'
import { defined } from '../src/kernel/defined.ts'
import { createLifecycle, type Lifecycle } from '../src/kernel/async/lifecycle.ts'
import type { Logger } from '../src/kernel/log.ts'
import { version } from '../src/kernel/version.ts'
import { lastBackupAt } from '../src/store/backup/last-backup.ts'
import { openStore, type Opened } from '../src/store/open/open-store.ts'
import { startAudit, type Context } from './audit/start.ts'
import { createBackups } from './backups.ts'
import {
  certificateNames,
  certificateToShow,
  followCertificate,
  type ShownCertificate,
} from './certificate.ts'
import type { Config } from './config.ts'
import { prepareControllerDataDir, refuseRoot } from './data-dir.ts'
import type { Egress } from './egress/gate.ts'
import { writeForPeople } from './files-for-people.ts'
import type { AgentEnv } from './http/agents/requests/refusal.ts'
import { startHeartbeat } from './http/agents/streams/replicas.ts'
import type { AgentRoutesDeps } from './http/agents/deps.ts'
import { mountAgentRoutes, type AgentRoutes } from './http/agents/routes.ts'
import { startKeyWork } from './keys/work.ts'
import { defaultUrl } from './default-url.ts'
import { watchDisk } from './disk.ts'
import { createApp, type AppDeps } from './http/app.ts'
import { addKeyMetrics } from './http/metrics/key-metrics.ts'
import { addReadinessMetrics } from './http/metrics/readiness-metrics.ts'
import type { RotationMetrics } from './rotators/metrics.ts'
import { createMetrics, type Metrics } from './http/metrics/metrics.ts'
import { mountExchange } from './http/login/exchange.ts'
import { mountStoreHooks } from './http/store-hooks.ts'
import { createProxyTrust } from './http/request-identity.ts'
import { createLimits } from './http/rate-limit.ts'
import { closeWithin, startHttpServer, type HttpServer } from './http/server.ts'
import { loadControllerIdentity, type ControllerIdentity } from './identity.ts'
import { egressOf, outboundCallsFor } from './outbound-calls.ts'
import { readStoreMeans, type StoreMeans } from './stores/opener.ts'
import { startLeader } from './leader.ts'
import { startLoops, type LoopsDeps } from './loops.ts'
import { openMasterKeys } from './keys/master-keys.ts'
import { createIssuerKeys } from './trust/issuer-keys.ts'
import { preparePeers, type Peers } from './peers.ts'
import { SealingKeys } from './keys/sealing.ts'
import { gitVersion } from './version.ts'
import { prepareWeb } from './web.ts'
import { createLookElsewhere } from './where/elsewhere.ts'

export interface RunningController {
  /** Base URL for users and agents. */
  readonly url: string
  /** Resolves when nothing in memory counts any more: whoever started it stops it and starts another. See openStore. */
  readonly outdated: Promise<void>
  /** Stops gracefully, within bounded time; never rejects. */
  stop(): Promise<void>
}

const drainMs = 5_000

/** Resolves when everything runs. When a step fails, the parts that were started are stopped again. */
export const startController = async (
  config: Config,
  log: Logger,
  clock: Clock,
): Promise<RunningController> => {
  const lifecycle = createLifecycle(log)
  try {
    const started = await start(config, { log, clock, lifecycle })
    return { ...started, stop: () => lifecycle.stop() }
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}

const start = async (
  config: Config,
  context: Context,
): Promise<Omit<RunningController, 'stop'>> => {
  const { log, clock, lifecycle } = context
  await prepareControllerDataDir(config.dataDir, log)
  await refuseRoot(config.dataDir)
  const storeMeans = await readStoreMeans(config.stores, clock)
  const sealing = new SealingKeys()
  const opened = await openStore({
    retention: config.retention,
    ...defined({ databaseUrl: config.databaseUrl }),
    dataDir: config.dataDir,
    keyRing: await openMasterKeys(config, log, clock),
    keyCache: { keepMs: config.keys.cacheMs },
    rotationMs: config.keys.rotationMs,
    rotatesKeys: config.keys.rotatesKeys,
    clock,
    log,
    sealedValues: sealing,
    mailDomains: config.smtp?.domains,
  })
  lifecycle.onStop('database', 10_000, () => opened.close())
  await sealing.load(opened.settings)
  background(
    () => sealing.watch(clock, log, lifecycle.stopping),
    logFault(log, 'sealing keys of other replicas are read no more'),
  )
  const url = await serve(config, context, { ...opened, sealing, storeMeans })
  const keyWork = startKeyWork(opened.keys, context)
  lifecycle.onStop('keys', 10_000, () => keyWork.stop())
  // Loading the client of Kubernetes takes long: only when a cluster is followed.
  const kubeConfig =
    config.kubernetes === undefined
      ? undefined
      : (await import('./kubernetes/kube-config.ts')).loadKubeConfig
  // Read once here too, so that a fault ends the start on every replica.
  kubeConfig?.()
  const { lease, replicas } = opened
  const onIsolated = (): void =>
    background(
      () => url.sendAgentsAway(),
      logFault(log, 'agents could not be sent to another replica'),
    )
  const heartbeat = startHeartbeat({ replicas, peers: url.peers, clock, log, onIsolated })
  lifecycle.onStop('heartbeat', 2_000, async () => {
    await heartbeat.stop()
    if (url.peers === undefined) await replicas.beat()
  })
  const leader = startLeader({
    lease,
    holder: replicas.id,
    clock,
    log,
    monotonic: () => performance.now(),
    start: (term, leads) =>
      startLoops(
        config,
        {
          ...opened,
          ...context,
          ...url.loops,
          egress: url.egress,
          sealing,
          storeMeans,
          kubeConfig,
          leads,
        },
        term,
      ),
  })
  url.watchLeader(
    () => leader.term() !== undefined,
    () => ({ deposed: opened.store.deposedWrites, refused: opened.store.refusedWrites }),
  )
  lifecycle.onStop('leader', 12_000, () => leader.stop())
  return { url: url.base, outdated: opened.outdated }
}

interface Served extends Pick<Metrics, 'watchLeader'> {
  readonly loops: Pick<
    LoopsDeps,
    | ('onRun' | 'onManifestFaults' | 'onKeysDue' | 'onClaimed' | 'onPropagated')
    | ('controllerId' | 'tasks' | 'ofStores' | 'lookElsewhere')
    | keyof RotationMetrics
  >
  readonly base: string
  readonly egress: Egress
  /** undefined: there are no other replicas. */
  readonly peers: Peers | undefined
  sendAgentsAway(): Promise<void>
}

const serve = async (
  config: Config,
  context: Context,
  opened: Opened & { sealing: SealingKeys; storeMeans: StoreMeans },
): Promise<Served> => {
  const { log, clock, lifecycle } = context
  const { store, keys, agents, connections, principals, settings, audit } = opened
  const { storeMeans, ...people } = opened
  const identity = await loadControllerIdentity(settings, clock, certificateNames(config))
  const certificate = await certificateToShow(config, identity)
  await writeForPeople(config, certificate, people.tokens)
  const http: { server?: HttpServer } = {}
  lifecycle.onStop('http', drainMs + 2_000, () => closeWithin(http.server, drainMs))
  const metrics = createMetrics(version)
  const denied = startAudit(config, context, { audit, registry: metrics.registry })
  addKeyMetrics(metrics.registry, keys, clock)
  const agentApp = new Hono<AgentEnv>()
  const agentDeps = { store, agents, connections, identity, clock, log, denied }
  const machineDeps = { agentDeps, lifecycle, settings, replicas: opened.replicas }
  const { peers, agentRoutes } = await mountMachines(agentApp, config, machineDeps)
  metrics.watchFleet(agentRoutes.fleet)
  const { stopping } = lifecycle
  const health = {
    store,
    stopping,
    disk: watchDisk(config),
    fleet: agentRoutes.fleet,
    ...(config.kubernetes !== undefined && { claimedByOthers: metrics.claimedByOthers }),
  }
  addReadinessMetrics(metrics.registry, health, () => lastBackupAt(opened.sql))
  let base = ''
  const limits = createLimits(config, context.clock)
  const webDeps = { opened, limits, denied, clock, log, version, base: () => base }
  const web = await prepareWeb(config, webDeps)
  const egress = egressOf(config, () => http.server?.address.port ?? 0)
  const app = createApp({
    ...opened,
    clock,
    log,
    stopping,
    metrics,
    denied,
    health,
    takeBackup: createBackups(opened, config.dataDir, clock),
    tokens: principals,
    people,
    proxies: createProxyTrust(config.trustedProxies),
    disk: health.disk,
    logs: agentRoutes.logs,
    tasks: agentRoutes.tasks,
    ...limits,
    sessions: web.sessions,
    ...outboundCallsFor(config, { store, clock, egress, storeMeans }),
    versions: { version, gitVersion },
    introduction: () => introductionOf(config, identity, certificate, base),
    mountOpen: (open) => {
      open.route('/', agentApp)
      const hooks = mountStoreHooks(open, { store, clock, log })
      lifecycle.onStop('hints', 2_000, () => hooks.stop())
      const keys = createIssuerKeys({ egress, clock })
      mountExchange(open, { ...opened, ...limits, keys, clock, denied })
      web.mount(open)
    },
  })
  const { host, port, insecureHttp } = config
  const tls = insecureHttp ? undefined : certificate
  http.server = await startHttpServer(agentRoutes.listener(app), { host, port, tls })
  renewCertificate(config, certificate, { server: http.server, peers }, context)
  base = config.advertiseUrl ?? defaultUrl(config, http.server.address.port)
  await peers?.announce(http.server.address.port, certificate)
  return {
    base,
    egress,
    peers,
    ...metrics,
    loops: { ...metrics, controllerId: identity.controllerId, ...askingAgents(store, agentRoutes) },
    sendAgentsAway: () => agentRoutes.sendAway(),
  }
}

const askingAgents = (
  store: Opened['store'],
  { tasks }: Pick<AgentRoutes, 'tasks'>,
): Pick<LoopsDeps, 'tasks' | 'lookElsewhere'> => ({
  tasks,
  lookElsewhere: createLookElsewhere({ store, tasks }),
})

const introductionOf = (
  { agentTrust }: Config,
  { x25519 }: ControllerIdentity,
  { ca }: ShownCertificate,
  url: string,
): ReturnType<AppDeps['introduction']> => ({
  url,
  controllerX25519: x25519.publicKey.toString('base64url'),
  // A configuration without a CA to pin was refused before.
  ca: agentTrust === 'system' ? 'system' : ca!.fingerprint,
})

/**
 * Presents the new certificate of the given files whenever they change, and announces it to other
 * replicas.
 */
const renewCertificate = (
  { tlsFiles }: Config,
  certificate: ShownCertificate,
  { server, peers }: { server: HttpServer; peers: Peers | undefined },
  { log, clock, lifecycle }: Context,
): void => {
  if (tlsFiles === undefined) return
  const show = (renewed: ShownCertificate): void => {
    server.renew(renewed)
    if (peers !== undefined)
      background(
        () => peers.announce(server.address.port, renewed),
        logFault(log, 'the new certificate is not announced to other replicas'),
      )
  }
  background(
    () =>
      followCertificate(tlsFiles, certificate, show, { clock, log, signal: lifecycle.stopping }),
    logFault(log, 'the files of the certificate are followed no more'),
  )
}

/** Mounts the endpoints of agents and of other controllers. */
const mountMachines = async (
  app: Hono<AgentEnv>,
  config: Config,
  given: Pick<Opened, 'settings' | 'replicas'> & {
    readonly agentDeps: AgentRoutesDeps
    readonly lifecycle: Lifecycle
  },
): Promise<{ peers: Peers | undefined; agentRoutes: AgentRoutes }> => {
  const { agentDeps, lifecycle } = given
  const peers = await preparePeers(config, { ...given, ...agentDeps })
  lifecycle.onStop('peers', 1_000, () => peers?.close())
  const agentRoutes = mountAgentRoutes(app, {
    ...agentDeps,
    ...(peers !== undefined && {
      logPeers: peers.peerLogs,
      taskPeers: peers.peerLogs,
      heartbeatPeers: peers.heartbeatPeers,
    }),
  })
  lifecycle.onStop('agents', 5_000, () => agentRoutes.stop())
  peers?.mount(app, agentRoutes)
  return { peers, agentRoutes }
}
