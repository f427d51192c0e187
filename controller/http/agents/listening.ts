// Which agents are heard: each stream is found by its name in signs of life, and one whose agent gives
// none for too long is cut.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { Sign } from '../../../src/protocol/sign-of-life.ts'
import { createWheel } from './fan-out.ts'
import type { Session } from './session.ts'

export interface Listening {
  add(session: Session): void
  remove(session: Session): void
  /** A sign of life for a stream here; false when it is none, or came before. */
  readonly heard: (sign: Sign) => boolean
  stop(): void
}

/** So many looks without a sign between two of them, and the stream is cut. */
const silentLooks = 10

/**
 * Looks are counted and not time: where this process itself stood still, signs wait to be read, and all
 * agents would be lost at once.
 */
export const createListening = (
  silenceMs: number,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Listening => {
  const byConnection = new Map<string, Session>()
  const wheel = createWheel<Session>(silenceMs / silentLooks, (session) => {
    session.looks += 1
    if (session.looks < silentLooks) return
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
    heard: (sign) => byConnection.get(sign.connection)?.takeSign(sign, clock.now()) ?? false,
    stop: () => {
      wheel.stop()
    },
  }
}
