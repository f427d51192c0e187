// Takes heartbeats, and cuts the streams of agents that give none for too long.
import type { Clock } from '../../../../src/kernel/clock.ts'
import type { Logger } from '../../../../src/kernel/log.ts'
import type { Heartbeat } from '../../../../src/protocol/heartbeat.ts'
import { createWheel } from './fan-out.ts'
import type { AgentStream } from './agent-stream.ts'

export interface SilenceTimeout {
  add(session: AgentStream): void
  remove(session: AgentStream): void
  /** Takes a heartbeat; false where it is not of a stream here, or came before. */
  readonly takeHeartbeat: (heartbeat: Heartbeat) => boolean
  stop(): void
}

/** A stream is cut after this many checks in a row without a heartbeat. */
const mostSilentChecks = 10

/**
 * Checks are counted, not time: after this process stood still, heartbeats wait to be read, and by time all agents would
 * be lost at once.
 */
export const createSilenceTimeout = (
  silenceMs: number,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): SilenceTimeout => {
  const byConnection = new Map<string, AgentStream>()
  const wheel = createWheel<AgentStream>(silenceMs / mostSilentChecks, (session) => {
    session.silentChecks += 1
    if (session.silentChecks < mostSilentChecks) return
    log.warn({ agent: session.agentKey }, 'nothing heard of an agent: its stream is cut')
    session.cutSilent()
  })
  return {
    add: (session) => {
      session.heardAt = clock.now()
      byConnection.set(session.connection, session)
      wheel.add(session)
    },
    remove: (session) => {
      byConnection.delete(session.connection)
      wheel.remove(session)
    },
    takeHeartbeat: (heartbeat) =>
      byConnection.get(heartbeat.connection)?.takeHeartbeat(heartbeat, clock.now()) ?? false,
    stop: () => wheel.stop(),
  }
}
