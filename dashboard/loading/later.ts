// A file of the dashboard that is loaded when it is needed, such as that of a page. Where it does not come, it is tried
// again by itself while somebody wants it, each time under another address: a browser remembers of an address that
// nothing came. The build puts `stagelyAgain` at the end of each address (scripts/dashboard.mjs).
import { signal, type ReadonlySignal } from '@preact/signals'
import { now } from '../api/clock.ts'
import { known, loading, type Known } from '../live/known.ts'
import { isStreamLive } from '../live/stream.ts'
import { whyNotLoaded } from './version.ts'

declare global {
  // A variable of the page, for the build.
  var stagelyAgain: string
}
globalThis.stagelyAgain = ''

export interface Later<T> {
  readonly file: ReadonlySignal<Known<T>>
  /** Loads it, however often that must be tried; until the result is called. */
  readonly want: () => () => void
  /** Waits for it; tells each time why it does not come. */
  readonly get: (onFailure?: (error: unknown) => void) => Promise<T>
  /** Until it is there, does not come, or takes so long that one should see that. */
  readonly first: () => Promise<void>
}

interface World {
  /** Why a file did not come. */
  readonly explain: (cause: unknown) => Promise<unknown>
  /** Waits so long, or until another try may be better. */
  readonly pause: (ms: number, woken: AbortSignal) => Promise<void>
}

const longestPauseMs = 10_000
const longMs = 1500

/** The network is back, the stream stands again, or somebody presses the button. */
const pauseInBrowser: World['pause'] = (ms, woken) =>
  new Promise((resolve) => {
    let wasLive = isStreamLive.peek()
    const end = (): void => {
      clearTimeout(timer)
      window.removeEventListener('online', end)
      stop()
      resolve()
    }
    const timer = setTimeout(end, ms)
    window.addEventListener('online', end)
    woken.addEventListener('abort', end)
    const stop = isStreamLive.subscribe((live) => {
      if (live && !wasLive) queueMicrotask(end)
      wasLive = live
    })
  })

let tries = 0

export const later = <T>(
  load: () => Promise<T>,
  { explain, pause }: World = { explain: whyNotLoaded, pause: pauseInBrowser },
): Later<T> => {
  const state = signal<Known<T>>(loading)
  let wanted = 0
  let isRunning = false
  let woken = new AbortController()

  /** False: it did not come. */
  const attempt = async (): Promise<boolean> => {
    try {
      state.value = known(await load())
      return true
    } catch (cause) {
      globalThis.stagelyAgain = `?again=${++tries}`
      const before = state.peek()
      const since = before.state === 'failed' ? before.failure.since : now()
      const failure = { error: await explain(cause), since, retry: () => woken.abort() }
      state.value = { state: 'failed', failure }
      return false
    }
  }
  const run = async (): Promise<void> => {
    if (isRunning) return
    isRunning = true
    for (let failures = 0; wanted > 0 && state.peek().state !== 'known'; failures++) {
      woken = new AbortController()
      if (!(await attempt()))
        await pause(Math.min(longestPauseMs, 500 * 2 ** failures), woken.signal)
    }
    isRunning = false
  }
  const want = (): (() => void) => {
    wanted += 1
    void run()
    return () => {
      wanted -= 1
      if (wanted === 0) woken.abort()
    }
  }
  const get: Later<T>['get'] = (onFailure) =>
    new Promise((resolve) => {
      const leave = want()
      const stop = state.subscribe((next) => {
        if (next.state === 'failed') onFailure?.(next.failure.error)
        if (next.state !== 'known') return
        queueMicrotask(() => stop())
        leave()
        resolve(next.value)
      })
    })
  const first = (): Promise<void> =>
    new Promise((resolve) => {
      const leave = want()
      const end = (): void => {
        clearTimeout(timer)
        queueMicrotask(() => stop())
        leave()
        resolve()
      }
      const timer = setTimeout(end, longMs)
      const stop = state.subscribe(({ state: step }) => {
        if (step !== 'loading') end()
      })
    })
  return { file: state, want, get, first }
}
