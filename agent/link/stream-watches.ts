// Ends a stream from the agent's side: after a silence, when the engine or Compose was upgraded, and when the clock was
// set.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { pause } from '../../src/kernel/async/pause.ts'
import type { About } from './about.ts'

interface WatchDeps {
  readonly clock: Clock
  readonly log: Logger
}

interface Watched {
  readonly lastHeard: number
  /** Longest silence; it changes with `hello`. */
  readonly silenceLimitMs: number
}

const longestPauseMs = 10_000
const aboutEveryMs = 60_000
const clockEveryMs = 5_000
const leastJumpMs = 5_000

/** Drops the connection after a silence: 10 s until `hello`, then three keep-alives. */
export const watchSilence = async (
  { clock, log }: WatchDeps,
  stream: Watched,
  ending: AbortController,
): Promise<void> => {
  for (;;) {
    const limitMs = stream.silenceLimitMs
    const quietMs = clock.monotonic() - stream.lastHeard
    if (quietMs >= limitMs) {
      log.warn({ quietMs }, 'nothing heard from the controller; dropping the connection')
      ending.abort(new Error(`nothing heard for ${quietMs} ms`))
      return
    }
    const pauseMs = Math.min(limitMs - quietMs, longestPauseMs)
    if (
      !(await clock.sleep(pauseMs, ending.signal).then(
        () => true,
        () => false,
      ))
    )
      return
  }
}

/** Ends a stream when a version that it was opened with has changed, so that the next stream tells the new one. */
export const watchAbout = async (
  { about, clock, log }: WatchDeps & { readonly about: About },
  stream: { isOutdated: boolean },
  ending: AbortController,
): Promise<void> => {
  const reported = about.current()
  while (isDeepStrictEqual(about.current(), reported)) {
    if (!(await pause(clock, aboutEveryMs, ending.signal))) return
    await about.refresh()
  }
  if (ending.signal.aborted) return
  log.info({ was: reported, is: about.current() }, 'engine or Compose are others now')
  stream.isOutdated = true
  ending.abort()
}

/**
 * Ends a stream when the wall clock was set: the controller measures it anew then. Where it is too far off, it refuses
 * reports, and would hear by heartbeats alone that all goes on as last reported.
 */
export const watchClock = async (
  { clock, log }: WatchDeps,
  stream: { isOutdated: boolean },
  ending: AbortController,
): Promise<void> => {
  const before = clock.now() - clock.monotonic()
  const jumpedMs = (): number => clock.now() - clock.monotonic() - before
  while (Math.abs(jumpedMs()) < leastJumpMs)
    if (!(await pause(clock, clockEveryMs, ending.signal))) return
  if (ending.signal.aborted) return
  log.warn({ jumpedMs: Math.round(jumpedMs()) }, 'the clock of this machine was set')
  stream.isOutdated = true
  ending.abort()
}
