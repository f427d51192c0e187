// The agent's composition root: engine, Compose, one loop for each stagelet, the link, the reports.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../src/kernel/clock.ts'
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { repeatUntil, within } from '../src/kernel/async/pause.ts'
import { manualSocket } from '../src/protocol/by-hand.ts'
import type { OnDemandOrder } from '../src/protocol/messages.ts'
import { createAbout } from './link/about.ts'
import type { AllowedFolders } from './compose/allowed-folders.ts'
import { agentVersion, type AgentConfig } from './config.ts'
import { defaultSlots, withSlots } from './compose/compose-slots.ts'
import { createControllerClient } from './link/controller-client.ts'
import { createDesiredState } from './link/desired.ts'
import { openCompose } from '../src/compose/compose.ts'
import { createEngine, type Engine } from './docker/engine.ts'
import { createEventHub } from './docker/event-hub.ts'
import { createFileCache, withoutFileCache } from './files/file-cache.ts'
import { readRootOwner, type Owner } from './docker/root-owner.ts'
import { createFileStore, type FileStore } from './files/file-store.ts'
import { openManualServer } from './by-hand/server.ts'
import type { AgentIdentity } from './identity/identity.ts'
import { openKeyRotation, type AgentKeyRotation } from './link/key-rotation.ts'
import { runLink } from './link/link.ts'
import { createLinkKeys } from './link/link-keys.ts'
import { createLogSessions, maxSessions } from './logs/log-sessions.ts'
import { createLookRuns } from './look/looks.ts'
import { holdName } from './identity/machine-name.ts'
import { createProjectLocks } from './borders/project-locks.ts'
import { createReporter } from './link/report.ts'
import { createRequestSigner, type RequestSigner } from './link/request-signer.ts'
import type { StageletLoopDeps } from './stack/stagelet-loop.ts'
import { createLoops, type StageletLoops } from './stack/stagelet-loops.ts'
import { startStopped } from './stack/start-stopped.ts'
import { openStateFile, putAsideDamaged, type StateFile } from './state/state-file.ts'
import { createTaskRuns } from './tasks/tasks.ts'

interface AgentDeps {
  readonly config: AgentConfig
  readonly identity: AgentIdentity
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  /** Called whenever a stream is up. */
  readonly onConnected: () => void
  /** How long Compose may be at work on a stack: 15 minutes, room for pulling images. */
  readonly upDeadlineMs?: number
}

export interface RunningAgent {
  /** Ends the link, lets running Compose processes finish (bounded), and resolves. Containers stay. */
  stop(): Promise<void>
}

const sweepEveryMs = 60_000

const defaultUpDeadlineMs = 15 * 60_000

/** Longest wait for a running `up` at a stop; it is never killed. */
const stopPatienceMs = 120_000

/** Starts everything. ServiceUnavailable when there is no usable Compose. */
export const startAgent = async (deps: AgentDeps): Promise<RunningAgent> => {
  const { config, clock, random, log } = deps
  const rotation = await openKeyRotation({ ...deps, dataDir: config.dataDir })
  const { identity } = rotation
  const compose = withSlots(await openCompose(config.environment), defaultSlots)
  const engine = createEngine(config.dockerSocket)
  const events = createEventHub({ engine, clock, log })
  const boot = randomUUID()
  const about = createAbout({ boot, version: agentVersion }, { engine, compose, log })
  await about.refresh()
  const signer = createRequestSigner(identity, clock)
  const client = createControllerClient(identity, signer)
  const reporter = createReporter({ client, boot, clock, random, log })
  const stateFile = await openState(deps)
  const files = openFiles(deps, rotation, engine)
  await files.restore()
  const keys = await createLinkKeys(rotation, { client, files, log })
  const folders = allowedFoldersOf(deps)
  const locks = createProjectLocks((name) => holdName('project', `${config.dockerSocket} ${name}`))
  const loops = createLoops(reporter, {
    engine,
    compose,
    events,
    stateFile,
    files,
    locks,
    clock,
    log,
    baseEnv: config.environment,
    folders,
    imagesFile: (uid) => join(config.dataDir, 'images', `${uid}.yaml`),
    upDeadlineMs: deps.upDeadlineMs ?? defaultUpDeadlineMs,
  })
  const path = manualSocket(config.dataDir)
  const manualRuns = await openManualServer({ path, targets: loops.manualTargets, log })
  const ending = new AbortController()
  let isConnected = false
  const starting = startStopped(
    { engine, stateFile, locks, folders, log },
    { clock, random, isConnected: () => isConnected, signal: ending.signal },
  )
  const onDemand = openOnDemand(deps, signer, { engine, events, folders, loops })
  const sweeping = sweepForever(deps, files, loops.owns, ending.signal)
  const linking = runLink(
    {
      identity,
      client,
      desired: createDesiredState(loops, log),
      keys,
      onDemand: onDemand.start,
      about,
      onConnected: () => {
        isConnected = true
        reporter.connected()
        deps.onConnected()
      },
      onLost: () => reporter.lost(),
      onClockRefused: (listener) => reporter.onClockRefused(listener),
      clock,
      random,
      log,
    },
    ending.signal,
  )
  return {
    stop: async () => {
      const stopped = Promise.all([loops.stop(), manualRuns.stop()])
      await within(clock, stopPatienceMs, stopped, () => undefined)
      manualRuns.close()
      ending.abort()
      await Promise.all([linking, reporter.stop(), starting, sweeping])
      onDemand.stop()
      events.stop()
      client.close()
    },
  }
}

const allowedFoldersOf = ({ config, log }: AgentDeps): AllowedFolders => {
  const { allowDirs, dataDir, filesDir } = config
  if (allowDirs.length === 0)
    log.warn(
      {},
      'started without --allow-dir: no stack is run; name the folders that stacks may lie in',
    )
  return { allowDirs, ownDirs: [dataDir, filesDir] }
}

const openState = async ({ config, log }: AgentDeps): Promise<StateFile> => {
  const path = join(config.dataDir, 'state.json')
  await putAsideDamaged(path, log)
  return await openStateFile(path)
}

/**
 * What is asked for once: logs, tasks, looks. They use connections of their own, so
 * that they do not delay reports.
 */
const openOnDemand = (
  { config, identity, clock, log }: AgentDeps,
  signer: RequestSigner,
  {
    loops: { logSourceOf: sourceOf, projects },
    ...parts
  }: Pick<StageletLoopDeps, 'engine' | 'events' | 'folders'> & {
    readonly loops: Pick<StageletLoops, 'logSourceOf' | 'projects'>
  },
): { start: (order: OnDemandOrder) => void; stop: () => void } => {
  // One connection for each session of logs, and for a task, a look and a count.
  const client = createControllerClient(identity, signer, maxSessions + 3)
  const deps = { ...parts, sourceOf, projects, client, clock, log }
  const sessions = createLogSessions(deps)
  const tasks = createTaskRuns({ ...deps, allowed: config.tasks })
  const looks = createLookRuns(deps)
  return {
    start: (order) => {
      if (order.type === 'logs') sessions.start(order)
      else if (order.type === 'task') tasks.start(order)
      else looks.start(order)
    },
    stop: () => {
      sessions.stop()
      tasks.stop()
      looks.stop()
      client.close()
    },
  }
}

const openFiles = (
  { config, identity, log }: AgentDeps,
  { sealingKeys }: AgentKeyRotation,
  engine: Engine,
): FileStore => {
  const cache = createFileCache(join(config.dataDir, 'files'), sealingKeys)
  return createFileStore({
    // A second agent on the machine has a folder of its own.
    root: join(config.filesDir, identity.agentUid),
    onDisk: config.filesOnDisk,
    cache: config.fileCache ? cache : withoutFileCache(cache),
    mounted: () => engine.mountSources(),
    rootOwner: () => readRootOwner(config.dockerSocket, self()),
    log,
  })
}

const self = (): Owner => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 })

/** Files of stagelets that are gone stay while a container mounts them; sooner or later none does. */
const sweepForever = (
  { clock, log }: AgentDeps,
  files: FileStore,
  owns: (uid: string) => boolean,
  signal: AbortSignal,
): Promise<void> =>
  repeatUntil(signal, clock, {
    everyMs: sweepEveryMs,
    work: () => files.sweepOrphans(owns),
    onFault: (error) =>
      log.warn({ reason: messageOf(error) }, 'cannot clear away old file secrets'),
  })
