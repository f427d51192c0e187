// The agent's composition root: engine, Compose, one loop for each stagelet, the link, the reports.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../src/kernel/clock.ts'
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { maxTokenLifeMs, signAgentToken } from '../src/protocol/agent-token.ts'
import { agentVersion, type AgentConfig } from './config.ts'
import { createControllerClient } from './controller-client.ts'
import { createDesiredState, type DesiredListener } from './desired.ts'
import { openCompose } from '../src/compose/compose.ts'
import { createEngine } from './docker/engine.ts'
import { createEventHub } from './docker/event-hub.ts'
import type { Identity } from './identity.ts'
import { runLink } from './link.ts'
import { createProjectLocks } from './project-locks.ts'
import { createReporter, type Reporter } from './report.ts'
import { createStageletLoop, type StageletLoop, type StageletLoopDeps } from './stagelet-loop.ts'
import { openStateFile } from './state-file.ts'

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

/** A running `up` is never killed; longer than this nobody waits for it. */
const stopPatienceMs = 120_000

/** Starts everything. ServiceUnavailable when there is no usable Compose. */
export const startAgent = async (deps: AgentDeps): Promise<RunningAgent> => {
  const { config, identity, clock, random, log } = deps
  const compose = await openCompose(config.environment)
  const engine = createEngine(config.dockerSocket)
  const engineVersion = await engine.version().catch((error: unknown) => {
    log.warn({ reason: messageOf(error) }, 'the Docker engine does not answer yet')
    return undefined
  })
  const events = createEventHub({ engine, clock, log })
  const boot = randomUUID()
  const client = createControllerClient(identity)
  const token = createTokens(identity, clock)
  const reporter = createReporter({ client, token, boot, clock, random, log })
  const loops = createLoops(reporter, {
    engine,
    compose,
    events,
    stateFile: await openStateFile(join(config.dataDir, 'state.json')),
    locks: createProjectLocks(),
    clock,
    log,
    baseEnv: config.environment,
    allowDirs: config.allowDirs,
    onChange: (observation) => {
      reporter.changed(observation)
    },
  })
  const ending = new AbortController()
  const reporting = reporter.run(ending.signal)
  const linking = runLink(
    {
      identity,
      client,
      desired: createDesiredState(loops, log),
      token,
      about: {
        boot,
        version: agentVersion,
        ...(engineVersion === undefined ? {} : { engineVersion }),
        composeVersion: compose.version,
      },
      onConnected: () => {
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
      await Promise.all([linking, reporting])
      events.stop()
      client.close()
    },
  }
}

/** One token serves many requests; the controller remembers it then. Renewed well before its end. */
const createTokens = (identity: Identity, clock: Clock): (() => string) => {
  let current = ''
  let signedAt = -Infinity
  return () => {
    const now = clock.now()
    if (now - signedAt > maxTokenLifeMs / 2 || now < signedAt) {
      const { agentUid, controllerId } = identity
      current = signAgentToken(identity.ed25519, { agentUid, controllerId, now })
      signedAt = now
    }
    return current
  }
}

const createLoops = (
  reporter: Reporter,
  deps: StageletLoopDeps,
): DesiredListener & { stop(): Promise<void> } => {
  const loops = new Map<string, StageletLoop>()
  /** Loops of stagelets that went away, while they finish. */
  const leaving = new Map<string, Promise<void>>()
  let stopped = false
  const leave = (uid: string, loop: StageletLoop): void => {
    const gone = loop.stop().finally(() => {
      leaving.delete(uid)
      if (!loops.has(uid)) reporter.forget(uid)
    })
    leaving.set(uid, gone)
  }
  return {
    want: (item, entries) => {
      if (stopped) return
      let loop = loops.get(item.uid)
      if (loop === undefined) {
        loop = createStageletLoop(deps)
        loops.set(item.uid, loop)
      }
      loop.want(item, entries)
    },
    forget: (uid) => {
      const loop = loops.get(uid)
      if (loop === undefined) return
      loops.delete(uid)
      reporter.forget(uid)
      leave(uid, loop)
    },
    stop: async () => {
      stopped = true
      for (const [uid, loop] of loops) leave(uid, loop)
      await Promise.all(leaving.values())
    },
  }
}
