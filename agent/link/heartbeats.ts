// Sends heartbeats: tells the controller every few seconds that the agent of this stream is there.
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { pause } from '../../src/kernel/async/pause.ts'
import type { MacKey } from '../../src/protocol/agent-request.ts'
import { authorizeHeartbeat } from '../../src/protocol/heartbeat.ts'
import type { ControllerClient } from './controller-client.ts'

interface HeartbeatDeps {
  readonly client: Pick<ControllerClient, 'heartbeat'>
  readonly clock: Clock
  readonly log: Logger
}

/** The values from `hello`, and the key of the stream. */
export interface HeartbeatSession {
  readonly stream: string
  readonly signMs: number
  readonly key: MacKey
}

/** Sends heartbeats until `signal` aborts; never rejects. After one that gets lost the next one follows soon. */
export const sendHeartbeats = async (
  { client, clock, log }: HeartbeatDeps,
  { stream, signMs, key }: HeartbeatSession,
  signal: AbortSignal,
): Promise<void> => {
  let pauseMs = signMs
  for (let counter = 1; ; counter++) {
    if (!(await pause(clock, pauseMs, signal))) return
    try {
      await client.heartbeat(authorizeHeartbeat(key, stream, counter), signal)
      pauseMs = signMs
    } catch (error) {
      if (signal.aborted) return
      log.debug({ reason: messageOf(error) }, 'a heartbeat did not get through')
      pauseMs = signMs / 8
    }
  }
}
