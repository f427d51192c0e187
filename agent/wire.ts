// The agent's composition root: engine, Compose, one loop for each stagelet, the link, the reports.
import { randomUUID, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../src/kernel/clock.ts'
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { maxTokenLifeMs, signAgentToken } from '../src/protocol/agent-token.ts'
import type { LogsOrder } from '../src/protocol/logs.ts'
import { agentVersion, type AgentConfig } from './config.ts'
import { createControllerClient } from './controller-client.ts'
import { createDesiredState, type DesiredListener } from './desired.ts'
import { openCompose } from '../src/compose/compose.ts'
import { createEngine, type Engine } from './docker/engine.ts'
import { createEventHub } from './docker/event-hub.ts'
import { createFileCache, withoutFileCache } from './file-cache.ts'
import { createFileStore, type FileStore } from './file-store.ts'
import type { Identity } from './identity.ts'
import { openKeyRotation, type KeyRotation } from './key-rotation.ts'
import { runLink } from './link.ts'
import { createLinkKeys } from './link-keys.ts'
import { createLogSessions, maxSessions, type LogSessionsDeps } from './logs/log-sessions.ts'
import type { LogSource } from './logs/project-log.ts'
import { createProjectLocks } from './project-locks.ts'
import { createReporter, type Reporter } from './report.ts'
import { createStageletLoop, type StageletLoop, type StageletLoopDeps } from './stagelet-loop.ts'
import { startStopped } from './start-stopped.ts'
import { openStateFile, putAsideDamaged, type StateFile } from './state-file.ts'

export interface AgentDeps {
  readonly config: AgentConfig
  readonly identity: Identity
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
  /** Called whenever a stream is up. */
  readonly onConnected: () => void
}

export interface RunningAgent {
  /** Ends the link, lets running Compose processes finish (bounded), and resolves. Containers stay. */
  stop(): Promise<void>
}

const sweepEveryMs = 60_000

/** A running `up` is never killed; longer than this nobody waits for it. */
const stopPatienceMs = 120_000

/** Starts everything. ServiceUnavailable when there is no usable Compose. */
export const startAgent = async (deps: AgentDeps): Promise<RunningAgent> => {
  const { config, clock, random, log } = deps
  const rotation = await openKeyRotation({ ...deps, dataDir: config.dataDir })
  const { identity } = rotation
  const compose = await openCompose(config.environment)
  const engine = createEngine(config.dockerSocket)
  const engineVersion = await versionOf(engine, log)
  const events = createEventHub({ engine, clock, log })
  const boot = randomUUID()
  const client = createControllerClient(identity)
  const token = createTokens(identity, clock)
  const reporter = createReporter({ client, token, boot, clock, random, log })
  const stateFile = await openState(deps)
  const files = openFiles(deps, rotation, engine)
  await files.restore()
  const keys = await createLinkKeys(rotation, { client, files, log })
  const locks = createProjectLocks()
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
    allowDirs: config.allowDirs,
  })
  const ending = new AbortController()
  const reporting = reporter.run(ending.signal)
  let isConnected = false
  const starting = startStopped(
    { engine, stateFile, locks, log },
    { clock, random, isConnected: () => isConnected, signal: ending.signal },
  )
  const logs = openLogs(deps, { engine, events, token, sourceOf: loops.logSourceOf })
  const sweeping = sweepForever(deps, files, loops.owns, ending.signal)
  const linking = runLink(
    {
      identity,
      client,
      desired: createDesiredState(loops, log),
      keys,
      onLogs: logs.start,
      token,
      about: {
        boot,
        version: agentVersion,
        ...(engineVersion === undefined ? {} : { engineVersion }),
        composeVersion: compose.version,
      },
      onConnected: () => {
        isConnected = true
        reporter.connected()
        deps.onConnected()
      },
      onLost: () => {
        reporter.lost()
      },
      clock,
      random,
      log,
    },
    ending.signal,
  )
  return {
    stop: async () => {
      const patience = new AbortController()
      await Promise.race([loops.stop(), clock.sleep(stopPatienceMs, patience.signal)])
      patience.abort()
      ending.abort()
      await Promise.all([linking, reporting, starting, sweeping])
      logs.stop()
      events.stop()
      client.close()
    },
  }
}

const openState = async ({ config, log }: AgentDeps): Promise<StateFile> => {
  const path = join(config.dataDir, 'state.json')
  await putAsideDamaged(path, log)
  return await openStateFile(path)
}

const versionOf = (engine: Engine, log: Logger): Promise<string | undefined> =>
  engine.version().catch((error: unknown) => {
    log.warn({ reason: messageOf(error) }, 'the Docker engine does not answer yet')
    return undefined
  })

/** Readers of logs have connections of their own, so that none of them holds up a report. */
const openLogs = (
  { identity, clock, log }: AgentDeps,
  given: Pick<LogSessionsDeps, 'engine' | 'events' | 'token' | 'sourceOf'>,
): { start: (order: LogsOrder) => void; stop: () => void } => {
  const client = createControllerClient(identity, maxSessions)
  const sessions = createLogSessions({ ...given, client, clock, log })
  return {
    start: (order) => {
      sessions.start(order)
    },
    stop: () => {
      sessions.stop()
      client.close()
    },
  }
}

const openFiles = (
  { config, identity, log }: AgentDeps,
  { sealingKeys }: KeyRotation,
  engine: Engine,
): FileStore => {
  const cache = createFileCache(join(config.dataDir, 'files'), sealingKeys)
  return createFileStore({
    // A second agent on the machine has a folder of its own.
    root: join(config.filesDir, identity.agentUid),
    onDisk: config.filesOnDisk,
    cache: config.fileCache ? cache : withoutFileCache(cache),
    mounted: () => engine.mountSources(),
    log,
  })
}

/** Files of stagelets that are gone stay while a container mounts them; sooner or later none does. */
const sweepForever = async (
  { clock, log }: AgentDeps,
  files: FileStore,
  owns: (uid: string) => boolean,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    await clock.sleep(sweepEveryMs, signal).catch(() => undefined)
    if (signal.aborted) return
    await files.sweepOrphans(owns).catch((error: unknown) => {
      log.warn({ reason: messageOf(error) }, 'cannot clear away old file secrets')
    })
  }
}

/** One token serves many requests; the controller remembers it then. Renewed well before its end. */
const createTokens = (identity: Identity, clock: Clock): (() => string) => {
  let current = ''
  let signedAt = -Infinity
  let signedBy: KeyObject | undefined
  return () => {
    const now = clock.now()
    const { agentUid, controllerId, ed25519 } = identity
    if (now - signedAt > maxTokenLifeMs / 2 || now < signedAt || signedBy !== ed25519) {
      current = signAgentToken(ed25519, { agentUid, controllerId, now })
      signedAt = now
      signedBy = ed25519
    }
    return current
  }
}

const createLoops = (
  reporter: Reporter,
  given: Omit<StageletLoopDeps, 'onChange'>,
): DesiredListener & {
  owns: (uid: string) => boolean
  logSourceOf: (uid: string) => LogSource | undefined
  stop(): Promise<void>
} => {
  const deps: StageletLoopDeps = {
    ...given,
    onChange: (observation) => {
      reporter.changed(observation)
    },
  }
  const loops = new Map<string, StageletLoop>()
  /** Loops of stagelets that went away, while they finish. */
  const leaving = new Map<string, Promise<void>>()
  let stopped = false
  const { stateFile, log } = given
  const leave = (uid: string, loop: StageletLoop): Promise<void> => {
    const gone = loop.stop().finally(() => {
      leaving.delete(uid)
      if (!loops.has(uid)) reporter.forget(uid)
    })
    leaving.set(uid, gone)
    return gone
  }
  /** It may have been taken away by force, without this agent's letting go of it. */
  const forgetState = async (uid: string): Promise<void> => {
    if (loops.has(uid) || leaving.has(uid)) return
    await stateFile.forget(uid).catch((error: unknown) => {
      log.warn(
        { stagelet: uid, reason: messageOf(error) },
        'a stagelet that is gone is still noted',
      )
    })
  }
  return {
    owns: (uid) => loops.has(uid) || leaving.has(uid),
    logSourceOf: (uid) => loops.get(uid)?.logSource(),
    want: (item, entries, healthy) => {
      if (stopped) return
      let loop = loops.get(item.uid)
      if (loop === undefined) {
        loop = createStageletLoop(deps)
        loops.set(item.uid, loop)
      }
      loop.want(item, entries, healthy)
    },
    forget: (uid) => {
      const loop = loops.get(uid)
      if (loop === undefined) return
      loops.delete(uid)
      reporter.forget(uid)
      void leave(uid, loop).then(() => forgetState(uid))
    },
    only: (uids) => {
      for (const uid of stateFile.uids()) if (!uids.has(uid)) void forgetState(uid)
    },
    stop: async () => {
      stopped = true
      for (const [uid, loop] of loops) void leave(uid, loop)
      await Promise.all(leaving.values())
    },
  }
}
