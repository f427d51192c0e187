// Keeps the stream of desired state open: connects, watches for silence, and connects again after any fault.
import type { IncomingMessage } from 'node:http'
import { background } from '../../src/kernel/async/background.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { pause } from '../../src/kernel/async/pause.ts'
import { knownToAgent, agentPaths, protocolVersion } from '../../src/protocol/messages.ts'
import { createLineReader } from '../../src/protocol/ndjson.ts'
import { RefusedByController, type ControllerClient } from './controller-client.ts'
import type { LinkKeys } from './link-keys.ts'
import { createRetries, type StreamOutcome } from './reconnect.ts'
import { sendHeartbeats, type HeartbeatSession } from './heartbeats.ts'
import { hopelessReasons, DesiredStream, type StreamDeps } from './stream.ts'
import { watchAbout, watchClock, watchSilence } from './stream-watches.ts'

/** A set of env secrets has a few MiB; base64 of base64 is 1.8 times as long. */
const maxLineBytes = 64 * 1024 * 1024

interface LinkDeps extends StreamDeps {
  readonly client: ControllerClient
  /** Rotation of keys, between two streams. */
  readonly keys: LinkKeys
  readonly onLost: () => void
  /** `listener` is called when the controller refuses reports because this machine's clock is wrong. */
  readonly onClockRefused?: (listener: () => void) => void
  readonly random: () => number
}

/** Connects again without a wait. */
const atOnce = (upMs: number): StreamOutcome => ({ kind: 'lost', upMs, spreadMs: 0, afterMs: 0 })

/** Keeps a stream open until `signal` aborts; resolves then and never rejects. */
export const runLink = async (deps: LinkDeps, signal: AbortSignal): Promise<void> => {
  const retries = createRetries(deps.random)
  while (!signal.aborted) {
    const outcome = await connectOnce(deps, signal)
    if (signal.aborted) return
    const delayMs = retries.after(outcome, deps.clock.monotonic())
    deps.log.info({ delayMs, outcome: outcome.kind }, 'connecting again')
    await pause(deps.clock, delayMs, signal)
  }
}

const connectOnce = async (deps: LinkDeps, signal: AbortSignal): Promise<StreamOutcome> => {
  const { clock, log, client, identity, keys } = deps
  if (keys.isPending()) await keys.rotate()
  const now = clock.now()
  const began = clock.monotonic()
  const ending = new AbortController()
  const cut = (): void => ending.abort()
  // A stream that nobody watches any more is opened anew.
  const onFault = (error: unknown): void => {
    log.error({ err: error }, 'the stream could not be watched; opening it again')
    cut()
  }
  signal.addEventListener('abort', cut, { once: true })
  const stream = new DesiredStream(deps)
  // Without a stream the agent counts as away.
  deps.onClockRefused?.(cut)
  for (const watch of [watchSilence, watchAbout, watchClock])
    background(() => watch(deps, stream, ending), onFault)
  try {
    const { about, desired } = deps
    const body = {
      ...about.current(),
      protocol: protocolVersion,
      knows: knownToAgent,
      now,
      holds: desired.holds(),
    }
    const answer = await client.open({ path: agentPaths.stream, body, signal: ending.signal })
    stream.proof = answer.proof
    await readStream(answer.response, stream, (signing) => {
      background(() => sendHeartbeats(deps, signing, ending.signal), onFault)
    })
    if (stream.rotation !== undefined) {
      if (await keys.rotate(stream.rotation)) return atOnce(clock.monotonic() - began)
      return stream.outcome(clock.monotonic())
    }
    log.info({}, 'the stream ended')
  } catch (error) {
    if (signal.aborted) return { kind: 'unreachable' }
    if (stream.isOutdated) return atOnce(clock.monotonic() - began)
    if (error instanceof RefusedByController) {
      if (error.reason === 'BadSignature' && (await keys.recover())) return atOnce(0)
      return explainRefusal(error, log)
    }
    log.warn({ url: identity.url, reason: messageOf(error) }, 'the stream broke')
  } finally {
    signal.removeEventListener('abort', cut)
    ending.abort()
    if (stream.hello !== undefined) deps.onLost()
  }
  return stream.outcome(clock.monotonic())
}

const readStream = async (
  response: IncomingMessage,
  stream: DesiredStream,
  onHello: (signing: HeartbeatSession) => void,
): Promise<void> => {
  const read = createLineReader(maxLineBytes, (line) => {
    const isNew = stream.heartbeat === undefined
    stream.take(line)
    if (isNew && stream.heartbeat !== undefined) onHello(stream.heartbeat)
  })
  for await (const chunk of response as AsyncIterable<Buffer>) {
    stream.heard()
    read(chunk)
    if (stream.rotation !== undefined) return
  }
}

const explainRefusal = (error: RefusedByController, log: Logger): StreamOutcome => {
  const { reason, status, retryAfterMs } = error
  if (hopelessReasons.has(reason)) {
    log.error(
      { reason, said: error.message },
      'the controller refuses this agent; containers run on',
    )
    return { kind: 'hopeless' }
  }
  log.warn({ reason, status, said: error.message }, 'the controller refused the stream')
  return { kind: 'refused', retryAfterMs }
}
