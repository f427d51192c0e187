// One connection to the event stream, made anew when it breaks: at once when the network is back, else with
// growing pauses. A stream from which nothing came for 20 seconds counts as broken: the server gives a sign
// every 15.
import { createSseReader, type SseMessage } from './sse.ts'

export type StreamPhase = 'connecting' | 'live' | 'broken' | 'ended' | 'refused'

interface SourceEvents {
  readonly onMessage: (message: SseMessage) => void
  /** Something was received, such as a comment. */
  readonly onSign: () => void
  /** `ended`: the login is over; nothing is tried again. `refused`: the person is in no team, for now. */
  readonly onPhase: (phase: StreamPhase) => void
}

interface SourceOptions extends SourceEvents {
  readonly url: string
  /** The id after which to continue at the first attempt. */
  readonly lastId: string
  readonly signal: AbortSignal
}

const silenceMs = 20_000
const longestPauseMs = 15_000

const pauseOf = (failures: number): number =>
  Math.min(longestPauseMs, 500 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2)

/** Waits that long, or until the network or the page comes back. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const ended = new AbortController()
    const end = (): void => {
      clearTimeout(timer)
      ended.abort()
      resolve()
    }
    const timer = setTimeout(end, ms)
    const once = { signal: ended.signal }
    window.addEventListener('online', end, once)
    document.addEventListener('visibilitychange', end, once)
    signal.addEventListener('abort', end, once)
  })

/** Reads until the stream ends, throws when it breaks. */
const readOnce = async (
  { url, onMessage, onSign, onPhase }: SourceOptions,
  lastId: string,
  attempt: AbortController,
): Promise<'ended' | 'refused' | 'closed' | number> => {
  const headers = {
    accept: 'text/event-stream',
    ...(lastId !== '' && { 'last-event-id': lastId }),
  }
  const response = await fetch(url, { headers, signal: attempt.signal, cache: 'no-store' })
  if (response.status === 401) return 'ended'
  if (response.status === 403) return 'refused'
  if (!response.ok || response.body === null)
    return Number(response.headers.get('retry-after') ?? 0) * 1000
  onPhase('live')
  const read = createSseReader(onMessage)
  const decoder = new TextDecoder()
  let silence = 0
  const heard = (): void => {
    clearTimeout(silence)
    silence = window.setTimeout(() => attempt.abort(), silenceMs)
    onSign()
  }
  const reader = response.body.getReader()
  try {
    for (;;) {
      heard()
      const { done, value } = await reader.read()
      if (done) return 'closed'
      read(decoder.decode(value, { stream: true }))
    }
  } finally {
    clearTimeout(silence)
  }
}

export const runSource = async (options: SourceOptions): Promise<void> => {
  const { signal, onPhase } = options
  let lastId = options.lastId
  let failures = 0
  const onMessage = (message: SseMessage): void => {
    lastId = message.id
    failures = 0
    options.onMessage(message)
  }
  while (!signal.aborted) {
    const attempt = new AbortController()
    const abort = (): void => attempt.abort()
    signal.addEventListener('abort', abort)
    window.addEventListener('offline', abort)
    const outcome = await readOnce({ ...options, onMessage }, lastId, attempt).catch(() => 0)
    signal.removeEventListener('abort', abort)
    window.removeEventListener('offline', abort)
    if (signal.aborted) return
    if (outcome === 'ended') {
      onPhase('ended')
      return
    }
    onPhase(outcome === 'refused' ? 'refused' : 'broken')
    failures += 1
    await pause(Math.max(typeof outcome === 'number' ? outcome : 0, pauseOf(failures)), signal)
  }
}
