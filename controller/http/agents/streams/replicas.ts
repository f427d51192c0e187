// Each replica writes a heartbeat. The leader declares agents gone whose replica has no heartbeat any more and that did
// not come back to another one. A replica that cannot write its heartbeat, while another can, sends its agents there.
import type { Clock } from '../../../../src/kernel/clock.ts'
import { messageOf } from '../../../../src/kernel/errors.ts'
import type { Logger } from '../../../../src/kernel/log.ts'
import { waitFor, type ReconcileOutcome } from '../../../../src/runtime/control-loop.ts'
import { startSingleLoop, type SingleLoop } from '../../../../src/runtime/single-loop.ts'
import type { AgentConnections } from '../../../../src/store/agents/agent-connections.ts'
import { isDeposed } from '../../../../src/store/core/errors.ts'
import type { Peer, Replicas } from '../../../../src/store/replicas.ts'
import type { Store } from '../../../../src/store/store.ts'
import { agentKeyOf } from '../../../../src/protocol/agent-key.ts'
import { system } from '../deps.ts'
import { restartGraceMs } from './reconnect-rate.ts'
import { writeGone } from './presence.ts'

const everyMs = 5_000
/** Heartbeat of a controller that is alone: after its sudden end, agents count as seen until its last heartbeat. */
const aloneEveryMs = 60_000
const retryMs = 1_000
/** After this time without the database a replica asks the others whether they have it. */
const isolatedMs = 10_000
const mostInOneWrite = 100

interface HeartbeatDeps {
  readonly replicas: Pick<Replicas, 'beat' | 'others'>
  /** Undefined: there are no other replicas. */
  readonly peers: { isReady(peer: Peer): Promise<boolean> } | undefined
  /** Called once when the database is out of reach for this replica, and not for another. */
  readonly onIsolated: () => void
  readonly clock: Clock
  readonly log: Logger
}

export const startHeartbeat = (deps: HeartbeatDeps): Pick<SingleLoop, 'stop'> => {
  const { replicas, peers, onIsolated, clock, log } = deps
  const beatMs = peers === undefined ? aloneEveryMs : everyMs
  const isOtherReady = async (): Promise<boolean> =>
    peers !== undefined &&
    (await Promise.all(replicas.others.map((peer) => peers.isReady(peer)))).includes(true)
  let lastBeat = clock.now()
  let state: 'well' | 'failing' | 'isolated' = 'well'
  const run = async (): Promise<ReconcileOutcome> => {
    const failed = await replicas.beat().then(() => undefined, messageOf)
    if (failed === undefined) {
      lastBeat = clock.now()
      state = 'well'
      return waitFor(beatMs)
    }
    if (state === 'well') {
      log.warn({ err: failed }, 'cannot note in the database that this controller is there')
      state = 'failing'
    }
    if (state === 'isolated' || clock.now() - lastBeat < isolatedMs) return waitFor(retryMs)
    // Where no replica has the database, agents keep their streams here.
    if (!(await isOtherReady())) return waitFor(retryMs)
    state = 'isolated'
    log.warn({}, 'this replica alone is cut off from the database: its agents are sent to others')
    onIsolated()
    return waitFor(retryMs)
  }
  const loop = startSingleLoop(deps, { name: 'heartbeat', settleMs: beatMs, run })
  loop.schedule()
  return loop
}

interface SweepDeps {
  readonly connections: AgentConnections
  readonly clock: Clock
  readonly log: Logger
  readonly store: Store
}

/**
 * For the leader; `store` is the leader's. After a change of the leader agents have as much time to come back as after
 * a restart, or `givenMs`. */
export const startSweep = (
  { connections, clock, log, store }: SweepDeps,
  givenMs?: number,
): Pick<SingleLoop, 'stop'> => {
  let graceMs = givenMs
  const sweep = async (lostMs: number): Promise<void> => {
    const lost = await connections.lost(lostMs)
    for (let i = 0; i < lost.length; i += mostInOneWrite) {
      const batch = lost.slice(i, i + mostInOneWrite)
      await connections.write(
        system,
        async (tx, streams) => {
          const gone = await streams.note(
            [],
            batch.map(({ uid }) => ({ uid })),
          )
          for (const { uid, namespace, name, seenAt } of batch) {
            // The agent may have come back meanwhile.
            if (!gone.has(uid)) continue
            await writeGone(tx, agentKeyOf(namespace, name), uid, { seenAt, now: clock.now() })
          }
        },
        store,
      )
    }
  }

  let isFirst = true
  const run = async (): Promise<ReconcileOutcome> => {
    graceMs ??= restartGraceMs(await connections.agentCount().catch(() => Infinity))
    if (isFirst) {
      isFirst = false
      return waitFor(graceMs)
    }
    await sweep(graceMs).catch((error: unknown) => {
      if (!isDeposed(error)) log.warn({ err: messageOf(error) }, 'cannot look for lost agents')
    })
    return waitFor(Math.min(everyMs, graceMs))
  }
  const loop = startSingleLoop({ clock, log }, { name: 'lost agents', run })
  loop.runNow()
  return loop
}
