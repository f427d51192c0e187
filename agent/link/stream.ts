// One stream of desired state: checks the controller, decrypts bundles and orders, and says how the stream ended.
//
// INVARIANTS
// - Nothing is taken before a `hello` of the right controller, and no bundle or order that its key did not seal.
// - Messages are handled in order. A gap in `seq`, or a message that cannot be decrypted, ends the stream.
import type * as z from 'zod'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { createOpener, type Opener } from '../../src/protocol/hpke.ts'
import {
  bundle as bundleSchema,
  bundleAad,
  orderAad,
  orderMessage,
  protocolVersion,
  streamInfo,
  streamMessage,
  type OnDemandOrder,
  type StreamMessage,
} from '../../src/protocol/messages.ts'
import { heartbeatKeyOf } from '../../src/protocol/heartbeat.ts'
import { protocolFault } from '../../src/protocol/version.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { AgentIdentity } from '../identity/identity.ts'
import type { About } from './about.ts'
import type { DesiredState, HeldBundle } from './desired.ts'
import type { StreamOutcome } from './reconnect.ts'
import type { HeartbeatSession } from './heartbeats.ts'

/** Longest silence before `hello`. */
const connectTimeoutMs = 10_000
const missedKeepAlives = 3

type Hello = Extract<StreamMessage, { type: 'hello' }>

/** Reasons that need a person. A wrong clock is none of them, as NTP sets it. */
export const hopelessReasons: ReadonlySet<string> = new Set([
  'Revoked',
  'Replaced',
  'UnknownAgent',
  'BadSignature',
  'WrongAudience',
  'Protocol',
])

export interface StreamDeps {
  readonly identity: AgentIdentity
  readonly desired: DesiredState
  /** The part of the stream request that describes this machine. */
  readonly about: About
  /** Somebody wants to read logs, or to know what they show. */
  readonly onDemand: (order: OnDemandOrder) => void
  readonly onConnected: () => void
  readonly clock: Clock
  readonly log: Logger
}

/** State of one connection. */
export class DesiredStream {
  hello: Hello | undefined
  /** The controller asks for new keys, for which the stream ends. */
  rotation: string | undefined
  /** A version that the stream was opened with has changed. */
  isOutdated = false
  /** Proof of the request that opened the stream. */
  proof = ''
  lastHeard: number
  /** Set from `hello` on. */
  heartbeat: HeartbeatSession | undefined
  readonly #deps: StreamDeps
  #opener: Opener | undefined
  #upSince = 0
  #afterMs: number | undefined
  #hopeless = false
  #replaced = false

  constructor(deps: StreamDeps) {
    this.#deps = deps
    this.lastHeard = deps.clock.monotonic()
  }

  get silenceLimitMs(): number {
    if (this.hello === undefined) return connectTimeoutMs
    return this.hello.keepAliveMs * missedKeepAlives
  }

  heard(): void {
    this.lastHeard = this.#deps.clock.monotonic()
  }

  outcome(now: number): StreamOutcome {
    if (this.#hopeless) return { kind: 'hopeless', replaced: this.#replaced }
    if (this.hello === undefined) return { kind: 'unreachable' }
    const after = this.#afterMs === undefined ? {} : { afterMs: this.#afterMs }
    return { kind: 'lost', upMs: now - this.#upSince, spreadMs: this.hello.spreadMs, ...after }
  }

  /** Takes a line. Throws when the stream must end. */
  take(line: string): void {
    if (line === '') return
    const message = decodeMessage(line, streamMessage)
    if (message === undefined) return
    if (message.type === 'error') {
      this.#takeError(message)
      return
    }
    if (message.type === 'hello') this.#takeHello(message)
    else if (this.hello === undefined) throw broken('the stream does not begin with hello')
    else this.#takeChange(message)
  }

  #takeChange(message: Exclude<StreamMessage, { type: 'hello' | 'error' }>): void {
    const { desired } = this.#deps
    switch (message.type) {
      case 'bundle':
        desired.takeBundle(this.#openBundle(message))
        return
      case 'order':
        this.#takeOrder(message)
        return
      case 'reconnect':
        this.#afterMs = message.afterMs
        return
    }
  }

  #takeOrder(sealed: Extract<StreamMessage, { type: 'order' }>): void {
    const { desired, identity, onDemand } = this.#deps
    const text = this.#open(sealed, orderAad(identity.agentUid)).toString('utf8')
    const order = decodeMessage(text, orderMessage)
    switch (order?.type) {
      case 'desired':
        desired.takeAll(order.items)
        return
      case 'stagelet':
        desired.takeItem(order.item)
        return
      case 'removed':
        desired.remove(order.uid)
        return
      case 'rotateKeys':
        this.rotation = order.request
        return
      case 'logs':
      case 'task':
      case 'lookFor':
      case 'countPrinted':
        onDemand(order)
        return
      case undefined:
        return
    }
  }

  /** The plaintext of the next sealed message. */
  #open(sealed: { seq: number; ciphertext: string }, aad: Buffer): Buffer {
    const opener = this.#opener!
    if (sealed.seq !== opener.seq)
      throw broken(`message ${sealed.seq} came where ${opener.seq} was due`)
    return opener.open(aad, Buffer.from(sealed.ciphertext, 'base64'))
  }

  #takeHello(hello: Hello): void {
    const { identity, about, onConnected } = this.#deps
    const fault = protocolFault(hello.protocol, protocolVersion)
    if (fault !== undefined) {
      this.#hopeless = true
      throw broken(fault)
    }
    const { controllerId, agentUid } = identity
    if (hello.controllerId !== controllerId || hello.agentUid !== agentUid) {
      throw broken('this is not the controller that the agent joined')
    }
    this.#opener = createOpener({
      recipient: identity.x25519,
      enc: Buffer.from(hello.enc, 'base64url'),
      info: streamInfo({
        controllerId,
        agentUid,
        boot: about.current().boot,
        proof: this.proof,
      }),
      sender: identity.controllerX25519,
    })
    const { stream, signMs } = hello
    this.heartbeat = { stream, signMs, key: heartbeatKeyOf(this.#opener) }
    this.hello = hello
    this.#upSince = this.#deps.clock.monotonic()
    onConnected()
  }

  #openBundle(sealed: Extract<StreamMessage, { type: 'bundle' }>): HeldBundle {
    const { projectUid, stageletUid, epoch, revision } = sealed
    const bound = { projectUid, stageletUid, epoch, revision }
    const aad = bundleAad({ ...bound, agentUid: this.#deps.identity.agentUid })
    const plaintext = this.#open(sealed, aad)
    const { entries } = bundleSchema.parse(JSON.parse(plaintext.toString('utf8')))
    plaintext.fill(0)
    return {
      ...bound,
      entries: entries.map(({ stagelet, file, plain, value, ...rest }) => ({
        ...rest,
        ...defined({ stagelet, file, plain }),
        value: Buffer.from(value, 'base64'),
      })),
    }
  }

  #takeError({ reason, message }: { reason: string; message: string }): void {
    this.#deps.log.error({ reason, said: message }, 'the controller ended the stream')
    this.#hopeless = hopelessReasons.has(reason)
    this.#replaced = reason === 'Replaced'
  }
}

const broken = (message: string): StagelyError => new StagelyError('BadRequest', message)

/** Undefined for a type of message that only newer controllers send. */
const decodeMessage = <S extends typeof streamMessage | typeof orderMessage>(
  line: string,
  schema: S,
): z.infer<S> | undefined => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    throw broken('a line of the stream is not JSON')
  }
  const type = (json as { type?: unknown } | null)?.type
  const isType = schema.options.some((option) => option.shape.type.value === type)
  if (typeof type === 'string' && !isType) return undefined
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data as z.infer<S>
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ')
  throw broken(`a message of the stream is malformed at: ${fields}`)
}
