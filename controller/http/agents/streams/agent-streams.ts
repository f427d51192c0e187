// All open streams of this process, one for each agent. A change in the cache goes to the session of its agent.
import { setMaxListeners } from 'node:events'
import { background, logFault } from '../../../../src/kernel/async/background.ts'
import { after } from '../../../../src/kernel/async/pause.ts'
import type { OnDemandOrder } from '../../../../src/protocol/messages.ts'
import type { Logger } from '../../../../src/kernel/log.ts'
import type { AgentRoutesDeps, Tuning } from '../deps.ts'
import { createItemReader } from './desired.ts'
import type { Duplicates } from './duplicates.ts'
import { createFanOut, createWheel } from './fan-out.ts'
import { returnsPerSecond, spreadMsFor } from './reconnect-rate.ts'
import { createSilenceTimeout, type SilenceTimeout } from './silence-timeout.ts'
import type { Presence } from './presence.ts'
import type { OrderResult } from '../../../orders/order-result.ts'
import { AgentStream, type NewStream, type AgentStreamDeps } from './agent-stream.ts'
import { createObjectCache, type AgentView, type ObjectCache } from '../objects/object-cache.ts'

/** How long an agent may take to read the last message of its stream. */
const patienceMs = 500
const retryBundleMs = 5_000
const takenOver = 'another connection of this agent took over'

export interface AgentStreams {
  readonly objects: ObjectCache
  /** Opens a stream on `res`. An older stream of the same agent ends with Replaced. */
  attach(to: NewStream): void
  isConnected(agentKey: string): boolean
  /** Takes a heartbeat; false where it is not of a stream here, or came before. */
  readonly takeHeartbeat: SilenceTimeout['takeHeartbeat']
  /** Sends an order to the agent, if it has its stream here. */
  readonly ask: (agentKey: string, order: OnDemandOrder) => OrderResult
  /** Ends this stream: the agent has a newer one on another replica. */
  replaced(agentKey: string, connection: string): void
  /** Ends all streams, and asks each agent to come back at a time of its own. */
  sendAway(): Promise<void>
  /** sendAway(), and ends all streams. */
  stop(): Promise<void>
}

const end = (session: AgentStream, reason: string, message: string): Promise<void> =>
  session.end({ type: 'error', reason, message }, patienceMs)

interface Watchers {
  readonly presence: Presence
  readonly duplicates: Duplicates
}

export const createAgentStreams = (
  deps: AgentRoutesDeps,
  tuning: Tuning,
  { presence, duplicates }: Watchers,
): AgentStreams => {
  const { log, agents, clock } = deps
  const sessions = new Map<string, AgentStream>()
  const stopping = new AbortController()
  // Each retry waits for its end.
  setMaxListeners(0, stopping.signal)
  const endSoon = (session: AgentStream, reason: string, message: string): void =>
    background(() => end(session, reason, message), logFault(log, 'a stream could not be ended'))
  const schedule = createFanOut<AgentStream>(
    (session) => session.flush(),
    (session, error) => {
      log.error({ err: error, agent: session.agentKey }, 'stream failed')
      endSoon(session, 'InternalError', 'the controller failed; see its log')
    },
  )
  const wheel = createWheel<AgentStream>(tuning.keepAliveMs, (session) => session.keepAlive())
  const silence = createSilenceTimeout(tuning.silenceMs, deps)
  const checkRevoked = createRevocation(agents, log, endSoon)
  const agentChanged = (agentKey: string, view: AgentView | undefined): void => {
    const session = sessions.get(agentKey)
    if (session === undefined) return
    if (view?.ready?.reason === 'Disconnected') presence.toldGone(agentKey)
    // The agent may have changed its keys itself, or was revoked and has joined anew.
    const isOld = view?.keys !== session.keysSeen
    session.keysSeen = view?.keys
    if (view === undefined || view.ready?.status === 'False' || isOld) checkRevoked(session)
    if (view?.rotate !== undefined) session.askForNewKeys(view.rotate)
  }
  const objects = createObjectCache(deps, {
    stageletChanged: (agentKey, uid) => sessions.get(agentKey)?.markDirty(uid),
    agentChanged,
  })

  const retry: AgentStreamDeps['retry'] = (session, uid) =>
    after(clock, retryBundleMs, stopping.signal, () => session.markDirty(uid))
  const sessionDeps = { ...readersOf(deps, objects), schedule, retry, log }

  return {
    objects,
    attach: (to) => {
      const session = new AgentStream(sessionDeps, to)
      const { agentKey } = session
      const old = sessions.get(agentKey)
      sessions.set(agentKey, session)
      if (old) endSoon(old, 'Replaced', takenOver)
      duplicates.opened(session, old)
      to.res.once('close', () => {
        session.closed()
        wheel.remove(session)
        silence.remove(session)
        if (sessions.get(agentKey) !== session) return
        sessions.delete(agentKey)
        presence.left(agentKey, session, session.isSilent ? session.heardAt : undefined)
      })
      session.start(
        { ...tuning, spreadMs: spreadFor(sessions.size, objects) },
        objects.stageletsOf(agentKey).map((s) => s.uid),
      )
      wheel.add(session)
      silence.add(session)
      // A revocation since the request was checked found no session to end.
      agentChanged(agentKey, objects.agent(agentKey))
    },
    isConnected: (agentKey) => sessions.has(agentKey),
    takeHeartbeat: silence.takeHeartbeat,
    ask: (agentKey, order) => sessions.get(agentKey)?.ask(order) ?? 'away',
    replaced: (agentKey, connection) => {
      const session = sessions.get(agentKey)
      if (session?.connection === connection) endSoon(session, 'Replaced', takenOver)
    },
    sendAway: () => sendAway([...sessions.values()]),
    stop: async () => {
      wheel.stop()
      silence.stop()
      stopping.abort()
      await objects.stop()
      await sendAway([...sessions.values()])
    },
  }
}

const readersOf = (
  { store, clock, identity, connections }: AgentRoutesDeps,
  objects: ObjectCache,
): Pick<AgentStreamDeps, 'identity' | 'replica' | 'readItem' | 'open'> => ({
  identity,
  replica: connections.replica,
  readItem: createItemReader(objects, store, clock),
  open: (item, { agentKey: agent, keys, from }) =>
    store.openSet(item.projectUid, item.revision, { stagelet: item.name, agent, keys, from }),
})

/** Each agent gets a time of its own, the first after a second, since a restart takes at least that. */
const sendAway = async (sessions: readonly AgentStream[]): Promise<void> => {
  const slotMs = 1000 / returnsPerSecond
  const goodbyes = sessions.map((session, i) =>
    session.end({ type: 'reconnect', afterMs: 1000 + Math.round(i * slotMs) }, patienceMs),
  )
  await Promise.all(goodbyes)
}

/** All registered agents may come back together, not only those that are here now. */
const spreadFor = (open: number, objects: ObjectCache): number =>
  spreadMsFor(Math.max(open, objects.agentCount))

/** Ends a stream whose agent was revoked or has new keys. The feed may tell of an earlier agent of this name, so the registry is asked. */
const createRevocation =
  (
    agents: AgentRoutesDeps['agents'],
    log: Logger,
    end: (session: AgentStream, reason: string, message: string) => void,
  ) =>
  (session: AgentStream): void => {
    const check = async (): Promise<void> => {
      const keys = await agents.keysOf(session.agentUid)
      if (keys?.ed25519 === session.ed25519) return
      if (keys !== undefined) {
        end(session, 'KeysRotated', 'this agent has new keys; only they are good')
        return
      }
      log.info({ agent: session.agentKey }, 'agent revoked: stream cut')
      end(session, 'Revoked', 'this agent was revoked; it needs a new join token')
    }
    check().catch((error: unknown) => {
      log.error({ err: error, agent: session.agentKey }, 'cannot check whether an agent is revoked')
      end(session, 'InternalError', 'the controller could not check this agent')
    })
  }
