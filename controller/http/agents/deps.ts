// What the agents' endpoints need from the rest of the controller.
import type { KeyObject } from 'node:crypto'
import type { DeniedLog } from '../../audit/denied.ts'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { JoinContent } from '../../../src/protocol/join.ts'
import type { ObjectRef } from '../../../src/resources/meta.ts'
import type { AgentConnections } from '../../../src/store/agent-connections.ts'
import type { LogsElsewhere } from './log-relay.ts'
import { awayAfterMs, signEveryMs } from './pace.ts'
import type { SignsElsewhere } from './signs.ts'
import type { Origin, Store } from '../../../src/store/store.ts'

/** A registered agent. Keys are raw 32 bytes in base64url. */
export interface RegisteredAgent {
  readonly namespace: string
  readonly name: string
  readonly ed25519: string
  readonly x25519: string
}

interface Registry {
  /** Spends the join token and registers the keys. Unauthorized, Conflict, BadRequest. */
  join(request: JoinContent & { tokenId: string }, from: Origin): Promise<{ agentUid: string }>
  /** Undefined when no request that this key signed has come with so high a counter; else the highest. */
  useCounter(input: {
    agentUid: string
    ed25519: string
    counter: number
  }): Promise<number | undefined>
  /** Replaces the keys of an agent that still has those `held`. Unauthorized. */
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

/** See src/store/agent-connections.ts. */
type Connections = Pick<AgentConnections, 'open' | 'write' | 'replica'>

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
  /** Readers and agents of logs at other controllers. */
  readonly logsElsewhere?: LogsElsewhere
  /** The controllers that have the streams of agents whose signs of life come here. */
  readonly signsElsewhere?: SignsElsewhere
  /** Audits what is refused. */
  readonly denied?: DeniedLog
  /** Times and bounds; the defaults are measured for 5,000 agents. Tests shorten them. */
  readonly tuning?: Partial<Tuning>
}

export interface Tuning {
  readonly keepAliveMs: number
  /** How often agents give a sign of life. */
  readonly signMs: number
  /** An agent of whom nothing was heard for so long is away; at least a second. */
  readonly silenceMs: number
  /** How long an agent whose stream was closed may be away before what it has told counts as unknown. */
  readonly graceMs: number
  /** New streams for each second; the rest is asked to come later. */
  readonly connectsPerSecond: number
  /** The same of joins: who is to join takes no place from who has. */
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
  concurrentReports: 200,
}

/** What machines' writes are recorded as. */
export const system = { name: 'system:agents', source: 'system' } as const

/** Agents are found by namespace and name, as Stagelets name them. */
export const agentKeyOf = (namespace: string, name: string): string => `${namespace}/${name}`

export const agentRefOf = (agentKey: string): ObjectRef => {
  const [namespace = '', name = ''] = agentKey.split('/')
  return { kind: 'Agent', namespace, name }
}
