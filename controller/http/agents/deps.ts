// What the agents' endpoints need from the rest of the controller.
import type { KeyObject } from 'node:crypto'
import type { DeniedLog } from '../denied.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { JoinContent } from '../../../src/protocol/join.ts'
import type { AgentConnections } from '../../../src/store/agents/agent-connections.ts'
import type { LogPeers } from '../../orders/log-relay.ts'
import { awayAfterMs, signEveryMs } from './streams/reconnect-rate.ts'
import type { HeartbeatPeers } from './streams/heartbeats.ts'
import type { TaskPeers } from '../../orders/tasks.ts'
import type { Origin, Store } from '../../../src/store/store.ts'

/** A registered agent. Keys are raw 32 bytes in base64url. */
export interface RegisteredAgent {
  readonly namespace: string
  readonly name: string
  readonly ed25519: string
  readonly x25519: string
}

interface Registry {
  /** Unauthorized where the join token is not good, or this request was used before. Changes nothing. */
  proveJoin(request: JoinContent & { tokenId: string }): Promise<void>
  /** Spends the join token and registers the keys. Unauthorized, Conflict, BadRequest. */
  join(request: JoinContent & { tokenId: string }, from: Origin): Promise<{ agentUid: string }>
  /** The highest counter of the agent that useCounter has taken. */
  usedCounter(agentUid: string): Promise<number>
  /** Takes the counter of a request that this key signed. Returns the highest one where that is not lower, else undefined. */
  useCounter(input: {
    agentUid: string
    ed25519: string
    counter: number
  }): Promise<number | undefined>
  /** Replaces the keys of an agent whose present key is `held`. Unauthorized. */
  rotateKeys(
    input: {
      agentUid: string
      held: string
      ed25519: string
      x25519: string
      request: string | undefined
    },
    from: Origin,
  ): Promise<void>
  /** undefined when the agent is unknown or revoked. */
  keysOf(agentUid: string): Promise<RegisteredAgent | undefined>
}

/** See src/store/agents/agent-connections.ts. */
type Connections = Pick<AgentConnections, 'open' | 'write' | 'bootsOf' | 'replica'>

export interface AgentRoutesDeps {
  readonly store: Store
  readonly connections: Connections
  readonly agents: Registry
  readonly identity: {
    /** Audience of agents' requests. */
    readonly controllerId: string
    readonly x25519: { readonly privateKey: KeyObject; readonly publicKey: Buffer }
  }
  readonly clock: Clock
  readonly log: Logger
  /** Log sessions at other replicas. */
  readonly logPeers?: LogPeers
  /** Tasks that other replicas wait for. */
  readonly taskPeers?: TaskPeers
  /** Replicas that have the streams of agents whose heartbeats come here. */
  readonly heartbeatPeers?: HeartbeatPeers
  /** Audit log of refused requests. */
  readonly denied?: DeniedLog
  /** Times and bounds; the defaults are measured for 5,000 agents. Tests shorten them. */
  readonly tuning?: Partial<Tuning>
}

export interface Tuning {
  readonly keepAliveMs: number
  /** Time between two heartbeats of an agent. */
  readonly signMs: number
  /** An agent is away when nothing was heard of it for this time; at least a second. */
  readonly silenceMs: number
  /** Time that an agent has to come back after its stream was closed, before its reports count as unknown. */
  readonly graceMs: number
  /** New streams per second; other agents are asked to come later. */
  readonly connectsPerSecond: number
  /** Joins per second. They do not count as streams, so that they keep no joined agent waiting. */
  readonly joinsPerSecond: number
  readonly concurrentReports: number
}

export const defaultTuning: Tuning = {
  keepAliveMs: 15_000,
  signMs: signEveryMs,
  silenceMs: awayAfterMs,
  graceMs: awayAfterMs,
  connectsPerSecond: 300,
  joinsPerSecond: 100,
  concurrentReports: 5_000,
}

/** Actor of writes for agents, as the audit log shows it. */
export const system = {
  name: 'system:agents',
  source: 'system',
  authority: 'whole',
} as const
