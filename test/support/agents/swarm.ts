// Many agents in one process: link, reports and backoff are the real ones, over TLS; only stacks are
// missing, so that each says of its stagelet what is wanted of it. What they send is counted.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createControllerClient,
  RefusedByController,
  type ControllerClient,
} from '../../../agent/link/controller-client.ts'
import { createDesiredState } from '../../../agent/link/desired.ts'
import { type AgentIdentity } from '../../../agent/identity/identity.ts'
import { joinController } from '../../../agent/link/join.ts'
import { runLink } from '../../../agent/link/link.ts'
import { createReporter, type Reporter } from '../../../agent/link/report.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { fixedKeys } from '../fixed-keys.ts'
import { unchanging } from './unchanging.ts'
import { realClock, toFineTimestamp } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import type { DesiredStagelet, ReportedStagelet } from '../../../src/protocol/messages.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { visibleTo, type SetEntry } from '../../../src/secrets/visible.ts'
import { inParallel } from './swarm-objects.ts'

export interface Swarm {
  readonly size: number
  /** When each request was sent, by performance.now(). */
  readonly sentAt: readonly number[]
  /** How many have a stream just now. */
  connected(): number
  /** How many hold exactly this revision. */
  holding(revision: number): number
  /** From now on each agent has something to tell once in so many ms. */
  reportEvery(ms: number): void
  stop(): Promise<void>
}

const joinOne = async (token: string): Promise<AgentIdentity> => {
  const dir = await mkdtemp(join(tmpdir(), 'stagely-swarm-'))
  try {
    for (;;) {
      try {
        return await joinController(dir, parseJoinToken(token), '0.0.1')
      } catch (error) {
        // The controller takes so many joins a second.
        if (!(error instanceof RefusedByController) || error.status !== 503) throw error
        await realClock.sleep(error.retryAfterMs ?? 1_000)
      }
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Joins an agent for each token. */
export const joinAll = async (tokens: readonly string[]): Promise<AgentIdentity[]> => {
  const identities: AgentIdentity[] = []
  await inParallel(tokens, 16, async (token) => {
    identities.push(await joinOne(token))
  })
  return identities
}

/** Resolves when all have a stream. */
export const startSwarm = async (identities: readonly AgentIdentity[]): Promise<Swarm> => {
  const sentAt: number[] = []
  const agents: Member[] = []
  await inParallel(identities, 16, async (identity) => {
    const agent = startMember(identity, sentAt)
    agents.push(agent)
    await agent.connected
  })
  let timers: NodeJS.Timeout[] = []
  return {
    size: agents.length,
    sentAt,
    connected: () => agents.filter((a) => a.isConnected()).length,
    holding: (revision) => agents.filter((a) => a.revision() === revision).length,
    reportEvery: (ms) => {
      timers = agents.map((agent, i) =>
        setTimeout(
          () => {
            agent.tellNews()
            timers[i] = setInterval(agent.tellNews, ms)
          },
          (i / agents.length) * ms,
        ),
      )
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer)
      await Promise.all(agents.map((a) => a.stop()))
    },
  }
}

interface Member {
  /** Resolves with its first stream. */
  readonly connected: Promise<void>
  readonly isConnected: () => boolean
  readonly revision: () => number | undefined
  readonly tellNews: () => void
  stop(): Promise<void>
}

/** Counts what the client sends, but for heartbeats. */
const counted = (client: ControllerClient, sentAt: number[]): ControllerClient => ({
  post: (options) => {
    sentAt.push(performance.now())
    return client.post(options)
  },
  open: (options) => {
    sentAt.push(performance.now())
    return client.open(options)
  },
  heartbeat: (authorization, signal) => client.heartbeat(authorization, signal),
  close: () => {
    client.close()
  },
})

const startMember = (identity: AgentIdentity, sentAt: number[]): Member => {
  const clock = realClock
  const client = counted(
    createControllerClient(identity, createRequestSigner(identity, clock), 1),
    sentAt,
  )
  const boot = randomUUID()
  const deps = { client, clock, random: Math.random, log: silentLogger }
  const reporter: Reporter = createReporter({ ...deps, boot })
  const ending = new AbortController()
  let [isUp, restarts] = [false, 0]
  let onFirst: () => void
  const first = new Promise<void>((resolve) => (onFirst = resolve))
  let newest: ReportedStagelet | undefined
  let rolledAt = ''
  const desired = createDesiredState(
    {
      setDesired: (item, entries) => {
        if (item.revision !== newest?.revision) rolledAt = toFineTimestamp(clock.now())
        newest = observationOf(item, entries, { restarts, rolledAt })
        reporter.changed(newest)
      },
      forget: (uid) => {
        newest = undefined
        reporter.forget(uid)
      },
    },
    silentLogger,
  )
  const versions = { version: '0.0.1', engineVersion: '26.1.5', composeVersion: '2.26.1' }
  const onConnected = (): void => {
    isUp = true
    onFirst()
    reporter.connected()
  }
  const onLost = (): void => {
    isUp = false
    reporter.lost()
  }
  const linking = runLink(
    {
      ...deps,
      keys: fixedKeys,
      identity,
      desired,
      about: unchanging({ boot, ...versions }),
      onDemand: () => undefined,
      onConnected,
      onLost,
    },
    ending.signal,
  )
  return {
    connected: first,
    isConnected: () => isUp,
    revision: () => newest?.revision,
    tellNews: () => {
      if (newest === undefined) return
      restarts++
      newest = { ...newest, services: newest.services.map((s) => ({ ...s, restarts })) }
      reporter.changed(newest)
    },
    stop: async () => {
      ending.abort()
      await Promise.all([linking, reporter.stop()])
      client.close()
    },
  }
}

/** As an agent reports a stack of one service that runs what is wanted. */
const observationOf = (
  item: DesiredStagelet,
  entries: readonly SetEntry[],
  { restarts, rolledAt: at }: { readonly restarts: number; readonly rolledAt: string },
): ReportedStagelet => {
  const digest = serviceDigest(visibleTo('app', item.name, entries)) ?? ''
  return {
    stageletUid: item.uid,
    generation: item.generation,
    projectUid: item.projectUid,
    epoch: item.epoch,
    revision: item.revision,
    phase: 'Settled',
    composeProject: item.compose.projectName ?? item.name,
    services: [{ name: 'app', digests: [digest], containers: 1, state: 'running', restarts }],
    rollout: {
      revision: item.revision,
      result: 'Healthy',
      recreated: ['app'],
      startedAt: at,
      finishedAt: at,
    },
    passed: { app: digest },
    pendingEdits: [],
    missingVariables: [],
  }
}
