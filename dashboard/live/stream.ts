// One event stream for all tabs of a browser. HTTP/1.1 allows six connections to a host, so tabs with a stream
// each would block one another. The tab that holds a Web Lock reads the stream, and relays what came over a
// BroadcastChannel. When that tab closes, the next one gets the lock.
import { batch, computed, signal, type ReadonlySignal } from '@preact/signals'
import { now } from '../api/clock.ts'
import { runSource, type StreamPhase } from './source.ts'
import type { SseMessage } from './sse.ts'

export interface Freshness {
  readonly phase: StreamPhase
  /** When something last came from the server; 0: never. */
  readonly signAt: number
}

type Relayed =
  | { readonly type: 'message'; readonly message: SseMessage }
  | { readonly type: 'state'; readonly state: Freshness; readonly lastId: string }
  | { readonly type: 'hello' }
  | { readonly type: 'logout' }

/** What the collections do with the stream. */
interface Listener {
  readonly onMessage: (message: SseMessage) => void
  /** There is a gap, or nothing was read yet: read all lists again. */
  readonly onGap: () => void
}

const state = signal<Freshness>({ phase: 'connecting', signAt: 0 })
/** How fresh the page is. */
export const freshness: ReadonlySignal<Freshness> = state
/** False: what is shown is as of `freshness.signAt`. */
export const isStreamLive = computed(() => state.value.phase === 'live')

const setState = (next: Freshness): void => {
  const { phase, signAt } = state.peek()
  // The time goes back where the controller's is found to be behind this computer's.
  if (next.phase !== phase || Math.abs(next.signAt - signAt) > 250) state.value = next
}

let lastId: string | undefined

const take = ({ onMessage, onGap }: Listener, message: SseMessage): void => {
  const before = lastId
  lastId = message.id
  // A tab may get an event before the state of the stream: then nothing was read yet.
  if (before === undefined || message.event === 'reset') onGap()
  // The stream continues exactly where this tab stands, or there may be a gap.
  else if (message.event !== 'ready') onMessage(message)
  else if (before !== message.id) onGap()
}

export interface LiveStream {
  /** Tells all tabs of this browser. */
  readonly tellLogout: () => void
  readonly stop: () => void
}

export const startStream = (listener: Listener, onLogout: () => void): LiveStream => {
  const stopping = new AbortController()
  const channel = new BroadcastChannel('stagely-live')
  let leads = false
  const tell = (relayed: Relayed): void => channel.postMessage(relayed)
  const tellState = (): void => tell({ type: 'state', state: state.peek(), lastId: lastId ?? '' })
  channel.onmessage = ({ data }: MessageEvent<Relayed>) => {
    batch(() => {
      if (data.type === 'logout') onLogout()
      else if (data.type === 'hello') {
        if (leads) tellState()
      } else if (!leads && data.type === 'state') {
        state.value = data.state
        // This tab came later than the stream's `ready`; else it waits for that.
        if (lastId === undefined && data.lastId !== '' && data.state.phase === 'live') {
          lastId = data.lastId
          listener.onGap()
        }
      } else if (!leads && data.type === 'message') take(listener, data.message)
    })
  }
  tell({ type: 'hello' })

  const lead = async (): Promise<void> => {
    leads = true
    await runSource({
      url: '/api/v1/stream',
      lastId: lastId ?? '',
      signal: stopping.signal,
      onMessage: (message) => {
        take(listener, message)
        tell({ type: 'message', message })
      },
      onSign: () => {
        setState({ phase: state.peek().phase, signAt: now() })
        tellState()
      },
      onPhase: (phase) => {
        setState({ phase, signAt: phase === 'live' ? now() : state.peek().signAt })
        tellState()
      },
    })
    leads = false
  }
  void navigator.locks
    .request('stagely-stream', { signal: stopping.signal }, lead)
    .catch(() => undefined)

  return {
    tellLogout: () => tell({ type: 'logout' }),
    stop: () => {
      stopping.abort()
      channel.close()
      lastId = undefined
      state.value = { phase: 'connecting', signAt: 0 }
    },
  }
}
