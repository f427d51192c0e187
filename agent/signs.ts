// Tells the controller every few seconds that the agent which has this stream is there.
import type { Clock } from '../src/kernel/clock.ts'
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { MacKey } from '../src/protocol/agent-request.ts'
import { authorizeSign } from '../src/protocol/sign-of-life.ts'
import type { ControllerClient } from './controller-client.ts'

interface SignsDeps {
  readonly client: Pick<ControllerClient, 'sign'>
  readonly clock: Clock
  readonly log: Logger
}

/** As `hello` said, and the key of the stream. */
export interface Signing {
  readonly stream: string
  readonly signMs: number
  readonly key: MacKey
}

/** Until `signal` aborts; never rejects. One that does not get through is followed by the next soon. */
export const giveSigns = async (
  { client, clock, log }: SignsDeps,
  { stream, signMs, key }: Signing,
  signal: AbortSignal,
): Promise<void> => {
  let pauseMs = signMs
  for (let counter = 1; ; counter++) {
    await clock.sleep(pauseMs, signal).catch(() => undefined)
    if (signal.aborted) return
    try {
      await client.sign(authorizeSign(key, stream, counter), signal)
      pauseMs = signMs
    } catch (error) {
      if (signal.aborted) return
      log.debug({ reason: messageOf(error) }, 'a sign of life did not get through')
      pauseMs = signMs / 8
    }
  }
}
