// All open streams of this process, one for each agent. A change in the mirror goes to the session of its agent.
import { background, logFault } from '../../../src/kernel/background.ts'
import type { OnDemandOrder } from '../../../src/protocol/messages.ts'
import { after } from '../../../src/kernel/pause.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { AgentRoutesDeps, Tuning } from './deps.ts'
import { createItemReader } from './desired.ts'
import type { Duplicates } from './duplicates.ts'
import { createFanOut, createWheel } from './fan-out.ts'
import { returnsPerSecond, spreadMsFor } from './pace.ts'
import { createListening, type Listening } from './listening.ts'
import type { Presence } from './presence.ts'
import type { OrderResult } from './order-result.ts'
import { Session, type NewStream, type SessionDeps } from './session.ts'
import { createWorld, type AgentView, type World } from './world.ts'

/** How long an agent may take to read the last message of its stream. */
const patienceMs = 500
const retryBundleMs = 5_000
const takenOver = 'another connection of this agent took over'

export interface Hub {
  readonly world: World
  /** Opens a stream on `res`. An older stream of the same agent ends with Replaced. */
  attach(to: NewStream): void
  isConnected(agentKey: string): boolean
  /** Takes a sign of life; false where it is not of a stream here, or came before. */
  readonly heard: Listening['heard']
  /** Sends an order to the agent, if it has its stream here. */
  readonly ask: (agentKey: string, order: OnDemandOrder) => OrderResult
  /** Ends this stream: the agent has a newer one on another replica. */
  replaced(agentKey: string, connection: string): void
  /** Ends all streams, and asks each agent to come back at a time of its own. */
  sendAway(): Promise<void>
  /** sendAway(), and ends the hub. */
  stop(): Promise<void>
}

const end = (session: Session, reason: string, message: string): Promise<void> =>
  session.end({ type: 'error', reason, message }, patienceMs)

interface Watchers {
  readonly presence: Presence
  readonly duplicates: Duplicates
}

export const createHub = (deps: AgentRoutesDeps, tuning: Tuning, watchers: Watchers): Hub => {
  const { presence, duplicates } = watchers
  const { log, agents, clock } = deps
  const sessions = new Map<string, Session>()
  const stopping = new AbortController()
  const retry = (session: Session, uid: string): void =>
    after(clock, retryBundleMs, stopping.signal, () => session.markDirty(uid))

  const endSoon = (session: Session, reason: string, message: string): void =>
    background(() => end(session, reason, message), logFault(log, 'a stream could not be ended'))
  const schedule = createFanOut<Session>(
    (session) => session.flush(),
    (session, error) => {
      log.error({ err: error, agent: session.agentKey }, 'stream failed')
      endSoon(session, 'InternalError', 'the controller failed; see its log')
    },
  )
  const wheel = createWheel<Session>(tuning.keepAliveMs, (session) => session.keepAlive())

  const listening = createListening(tuning.silenceMs, deps)
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
  const world = createWorld(deps, {
    stageletChanged: (agentKey, uid) => sessions.get(agentKey)?.markDirty(uid),
    agentChanged,
  })

  const sessionDeps: SessionDeps = {
    ...readersOf(deps, world),
    schedule,
    retry,
    log,
  }

  return {
    world,
    attach: (to) => {
      const session = new Session(sessionDeps, to)
      const { agentKey } = session
      const old = sessions.get(agentKey)
      sessions.set(agentKey, session)
      if (old) endSoon(old, 'Replaced', takenOver)
      duplicates.opened(session, old)
      to.res.once('close', () => {
        session.closed()
        wheel.remove(session)
        listening.remove(session)
        if (sessions.get(agentKey) !== session) return
        sessions.delete(agentKey)
        presence.left(agentKey, session, session.isSilent ? session.heardAt : undefined)
      })
      session.start(
        { ...tuning, spreadMs: spreadFor(sessions.size, world) },
        world.stageletsOf(agentKey).map((s) => s.uid),
      )
      wheel.add(session)
      listening.add(session)
      // A revocation since the request was checked found no session to end.
      agentChanged(agentKey, world.agent(agentKey))
    },
    isConnected: (agentKey) => sessions.has(agentKey),
    heard: listening.heard,
    ask: (agentKey, order) => sessions.get(agentKey)?.ask(order) ?? 'away',
    replaced: (agentKey, connection) => {
      const session = sessions.get(agentKey)
      if (session?.connection === connection) endSoon(session, 'Replaced', takenOver)
    },
    sendAway: () => sendAway([...sessions.values()]),
    stop: async () => {
      wheel.stop()
      listening.stop()
      stopping.abort()
      await world.stop()
      await sendAway([...sessions.values()])
    },
  }
}

const readersOf = (
  { store, clock, identity, connections }: AgentRoutesDeps,
  world: World,
): Pick<SessionDeps, 'identity' | 'replica' | 'readItem' | 'open'> => ({
  ...{ identity, replica: connections.replica },
  readItem: createItemReader(world, store, clock),
  open: (item, { agentKey: agent, keys, from }) =>
    store.openSet(item.projectUid, item.revision, { stagelet: item.name, agent, keys, from }),
})

/** Each agent gets a time of its own, the first after a second, since a restart takes at least that. */
const sendAway = async (sessions: readonly Session[]): Promise<void> => {
  const slotMs = 1000 / returnsPerSecond
  const goodbyes = sessions.map((session, i) =>
    session.end({ type: 'reconnect', afterMs: 1000 + Math.round(i * slotMs) }, patienceMs),
  )
  await Promise.all(goodbyes)
}

/** All registered agents may come back together, not only those that are here now. */
const spreadFor = (open: number, world: World): number =>
  spreadMsFor(Math.max(open, world.agentCount))

/** Ends a stream whose agent was revoked or has new keys. The feed may tell of an earlier agent of this name, so the registry is asked. */
const createRevocation =
  (
    agents: AgentRoutesDeps['agents'],
    log: Logger,
    end: (session: Session, reason: string, message: string) => void,
  ) =>
  (session: Session): void => {
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
