// Gives signs of life: tells the controller every few seconds that the agent of this stream is there.
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { pause } from '../../src/kernel/pause.ts'
import type { MacKey } from '../../src/protocol/agent-request.ts'
import { authorizeSign } from '../../src/protocol/sign-of-life.ts'
import type { ControllerClient } from './controller-client.ts'

interface SignsDeps {
  readonly client: Pick<ControllerClient, 'sign'>
  readonly clock: Clock
  readonly log: Logger
}

/** The values from `hello`, and the key of the stream. */
export interface Signing {
  readonly stream: string
  readonly signMs: number
  readonly key: MacKey
}

/** Gives signs until `signal` aborts; never rejects. A sign that gets lost is followed by the next one soon. */
export const giveSigns = async (
  { client, clock, log }: SignsDeps,
  { stream, signMs, key }: Signing,
  signal: AbortSignal,
): Promise<void> => {
  let pauseMs = signMs
  for (let counter = 1; ; counter++) {
    if (!(await pause(clock, pauseMs, signal))) return
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
