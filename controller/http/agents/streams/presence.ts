// Writes to Agent.status whether the agent is connected. Writes are gathered for a moment and share a transaction, so
// that many agents that come back together cost a few writes.
import { setMaxListeners } from 'node:events'
import { isReason } from '../../../../src/kernel/errors.ts'
import { toFineTimestamp, toTimestamp, type Clock } from '../../../../src/kernel/clock.ts'
import { defined } from '../../../../src/kernel/defined.ts'
import { after, pause } from '../../../../src/kernel/async/pause.ts'
import type { AgentStatus } from '../../../../src/kinds/agent/schema.ts'
import { isTrue, withCondition, type NewCondition } from '../../../../src/resources/conditions.ts'
import type { StreamRequest } from '../../../../src/protocol/messages.ts'
import type { Streams } from '../../../../src/store/agents/agent-connections.ts'
import type { Transaction } from '../../../../src/store/store.ts'
import type { Caller } from '../requests/authenticate.ts'
import { agentRefOf } from '../../../../src/protocol/agent-key.ts'
import { system, type AgentRoutesDeps, type Tuning } from '../deps.ts'
import { leastSkewMs, skewOf, withNewest } from '../requests/clock-skew.ts'

const gatherMs = 50
/** Many requests of a burst come late: what each of them says of a clock waits for the others. */
const timesGatherMs = 2_000
const retryMs = 2_000
const mostInOneWrite = 100

interface Update {
  readonly uid: string
  /** The stream that was opened or closed. */
  readonly connection: string
  readonly boot: string
  readonly seenAt: number
  readonly facts: Omit<AgentStatus, 'conditions' | 'lastSeen'>
  /** Of the last requests: see clock-skew.ts. */
  readonly ahead: readonly number[]
  readonly ready: NewCondition
}

export interface Presence {
  connected(
    agentKey: string,
    stream: Pick<Caller, 'agentUid' | 'aheadMs'> & { readonly connection: string },
    request: StreamRequest,
  ): void
  /** To be called with each report: its time may measure the agent's clock better than the stream's did. */
  timed(agentKey: string, aheadMs: number): void
  /**
   * To be called when a stream has closed. The agent is Disconnected when it is not back, here or elsewhere, after
   * the grace time. With `heardAt` it is so at once: the stream was cut for a silence as long as the grace time.
   */
  left(
    agentKey: string,
    stream: { readonly agentUid: string; readonly connection: string },
    heardAt?: number,
  ): void
  /** To be called when the status says Disconnected: corrects it where the agent has a stream here. */
  toldGone(agentKey: string): void
  stop(): Promise<void>
}

export const createPresence = (
  { connections, clock, log }: Pick<AgentRoutesDeps, 'connections' | 'clock' | 'log'>,
  tuning: Tuning,
  streams: {
    isConnected: (agentKey: string) => boolean
    /** The agent has a newer stream, on another replica. */
    replaced: (agentKey: string, connection: string) => void
  },
): Presence => {
  const pending = new Map<string, Update>()
  /** Agents that have a stream here. */
  const here = new Map<string, Update>()
  const ending = new AbortController()
  // Each agent that is away has a listener.
  setMaxListeners(0, ending.signal)
  let flushing: Promise<void> | undefined

  const flush = async (): Promise<void> => {
    while (pending.size > 0) if (!(await flushBatch())) break
    // No await since `pending` was seen empty, so that no update is left behind.
    flushing = undefined
  }
  /** False when it failed while the controller stops: then the database is not waited for. */
  const flushBatch = async (): Promise<boolean> => {
    await pause(clock, gatherMs, ending.signal)
    const batch = takeSome(pending)
    try {
      const replaced = await connections.write(system, (tx, streams) =>
        writeAll(tx, streams, batch, (agentKey) => here.has(agentKey)),
      )
      for (const [key, { connection }] of replaced) streams.replaced(key, connection)
    } catch (error) {
      log.warn({ err: error }, 'cannot write who is connected; trying again')
      for (const [key, update] of batch) if (!pending.has(key)) pending.set(key, update)
      if (ending.signal.aborted) return false
      await pause(clock, retryMs, ending.signal)
    }
    return true
  }
  const put = (agentKey: string, update: Update): void => {
    pending.set(agentKey, update)
    flushing ??= flush()
  }
  const times = createTimes(clock, ending.signal, (agentKey) => {
    const again = timedAgain(here.get(agentKey))
    if (again === undefined) return
    here.set(agentKey, again)
    put(agentKey, again)
  })

  return {
    connected: (agentKey, { agentUid: uid, connection, aheadMs }, request) => {
      const ahead = [aheadMs]
      const update: Update = { uid, connection, ahead, ...arrival(request, ahead, clock.now()) }
      here.set(agentKey, update)
      put(agentKey, update)
    },
    timed: (agentKey, aheadMs) => {
      const connected = here.get(agentKey)
      if (connected === undefined) return
      const ahead = withNewest(connected.ahead, aheadMs)
      const update = { ...connected, ahead, seenAt: clock.now() }
      here.set(agentKey, update)
      if (timedAgain(update) !== undefined) times.add(agentKey)
    },
    toldGone: (agentKey) => {
      const update = here.get(agentKey)
      if (update !== undefined && !pending.has(agentKey))
        put(agentKey, { ...update, seenAt: clock.now() })
    },
    left: (agentKey, { agentUid: uid, connection }, heardAt) => {
      here.delete(agentKey)
      const seenAt = heardAt ?? clock.now()
      after(clock, heardAt === undefined ? tuning.graceMs : 0, ending.signal, () => {
        if (!streams.isConnected(agentKey))
          put(agentKey, { ...nothing, uid, connection, seenAt, ready: gone(seenAt) })
      })
    },
    stop: async () => {
      ending.abort()
      await flushing
    },
  }
}

const takeSome = (pending: Map<string, Update>): [string, Update][] => {
  const some = [...pending].slice(0, mostInOneWrite)
  for (const [key] of some) pending.delete(key)
  // Rows of streams are always locked in this order (agent-connections.ts).
  return some.sort(([, a], [, b]) => (a.uid < b.uid ? -1 : 1))
}

/** Calls `tell` for each agent that was added, once for all that are added within a while. */
const createTimes = (
  clock: Clock,
  signal: AbortSignal,
  tell: (agentKey: string) => void,
): { readonly add: (agentKey: string) => void } => {
  const waiting = new Set<string>()
  const tellAll = (): void => {
    const agents = [...waiting]
    waiting.clear()
    agents.forEach(tell)
  }
  return {
    add: (agentKey) => {
      if (waiting.size === 0) after(clock, timesGatherMs, signal, tellAll)
      waiting.add(agentKey)
    },
  }
}

const condition = (
  status: NewCondition['status'],
  reason: string,
  message: string,
): NewCondition => ({ type: 'Ready', status, reason, message })

/** With other facts; undefined where the last measures of the agent's clock say the same as those before. */
const timedAgain = (update: Update | undefined): Update | undefined => {
  if (update === undefined) return undefined
  const clockSkewMs = skewOf(update.ahead)
  const isSame = Math.abs(clockSkewMs - (update.facts.clockSkewMs ?? 0)) < leastSkewMs
  return isSame ? undefined : { ...update, facts: { ...update.facts, clockSkewMs } }
}

/** Of an agent that is gone. */
const nothing = { boot: '', facts: {}, ahead: [] }

const arrival = (
  { version, engineVersion, composeVersion, boot }: StreamRequest,
  ahead: readonly number[],
  seenAt: number,
): Omit<Update, 'uid' | 'connection' | 'ahead'> => ({
  boot,
  seenAt,
  facts: {
    version,
    ...defined({ engineVersion, composeVersion }),
    clockSkewMs: skewOf(ahead),
  },
  ready: condition('True', 'Connected', 'the agent is connected'),
})

/** Holds no time, so that repeated events are counted as one. */
const lostMessage = 'the agent is not connected: nobody sees what runs on its machine'

const gone = (seenAt: number): NewCondition =>
  condition(
    'Unknown',
    'Disconnected',
    `the agent was last seen at ${toTimestamp(seenAt)}; what runs on its machine now is not known`,
  )

/** Returns the updates that were not written, as these agents have a newer stream elsewhere. */
const writeAll = async (
  tx: Transaction,
  streams: Streams,
  batch: readonly [string, Update][],
  stays: (agentKey: string) => boolean,
): Promise<[string, Update][]> => {
  const updates = batch.map(([, update]) => update)
  const isHere = ({ ready }: Update): boolean => ready.status === 'True'
  const isGone = (update: Update): boolean => !isHere(update)
  const newest = await streams.note(updates.filter(isHere), updates.filter(isGone))
  const peers: [string, Update][] = []
  for (const entry of batch) {
    if (newest.has(entry[1].uid)) await writeStatus(tx, ...entry, stays(entry[0]))
    else peers.push(entry)
  }
  return peers
}

/** For an agent whose replica is gone; `seenAt` is the last time that is known of it. */
export const writeGone = (
  tx: Transaction,
  agentKey: string,
  uid: string,
  { seenAt, now }: { seenAt: number; now: number },
): Promise<void> =>
  writeStatus(tx, agentKey, { uid, seenAt, facts: {}, ready: gone(seenAt), changedAt: now })

/** `stays`: the agent has the stream still. It may have been refused since it gave one up. */
const writeStatus = async (
  tx: Transaction,
  agentKey: string,
  update: Omit<Update, 'connection' | 'boot' | 'ahead'> & { readonly changedAt?: number },
  stays = false,
): Promise<void> => {
  const agent = await tx.getFrozen(agentRefOf(agentKey))
  // Another agent may have this name by now.
  if (agent === undefined || agent.metadata.uid !== update.uid) return
  const old: AgentStatus = agent.status ?? {}
  const conditions = old.conditions ?? []
  // Revoked ends by a new join alone.
  if (conditions.some((c) => c.type === 'Ready' && c.reason === 'Revoked')) return
  const seenAt = toTimestamp(update.seenAt)
  const changed = toTimestamp(update.changedAt ?? update.seenAt)
  const [was, is] = [isTrue(conditions, 'Ready'), update.ready.status === 'True']
  const status: AgentStatus = {
    ...old,
    ...update.facts,
    lastSeen: seenAt,
    ...(!is && { lastLost: toFineTimestamp(update.seenAt) }),
    conditions: withCondition(
      is && stays ? conditions.filter(({ type }) => type !== 'Refused') : conditions,
      update.ready,
      changed,
    ),
  }
  try {
    await tx.setStatus({ ...agent, status: status })
    if (was !== is) {
      const { reason } = update.ready
      const message = is ? update.ready.message : lostMessage
      await tx.recordEvent({ regarding: agent, type: is ? 'Normal' : 'Warning', reason, message })
    }
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
  }
}
