// Signs and seals the agent's requests. The agent has a session with each replica, kept with the connection to it. Where a
// replica does not know the session, a request that the agent's key signs begins a new one; any replica takes it.
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { createSerialQueue } from '../../src/kernel/async/serial-queue.ts'
import {
  authorizeByKey,
  authorizeInSession,
  beginSession,
  openMessage,
  sealMessage,
  type SessionKeys,
} from '../../src/protocol/agent-request.ts'
import { publicKeyFromRaw } from '../../src/protocol/keys.ts'
import type { AgentIdentity } from '../identity/identity.ts'

/** How far ahead of the clock counters may go after the clock was set back, as the controller tells. */
const mostAheadMs = 15 * 60_000

interface Session {
  readonly id: string
  readonly keys: SessionKeys
  /** The key that began the session. */
  readonly ed25519: KeyObject
  counter: number
}

interface ToSign {
  readonly method: string
  readonly path: string
  readonly body: unknown
  /** Signs with this key, outside of a session. Absent: with the agent's key, where there is no session. */
  readonly signedBy?: KeyObject
}

export interface Signed {
  readonly authorization: string
  readonly proof: string
  readonly body: Buffer
  /** Opens the controller's answer. ServiceUnavailable where the controller has not made it. */
  open(sealed: Buffer): unknown
  /** To be called when the request was taken; it has begun this session, where one is named. */
  taken(session: string | undefined): void
  /** To be called when it was refused: the session is unknown, or counters up to `counter` are used. */
  refused(counter: number | undefined): void
}

export interface RequestSigner {
  /** Makes a request for the connection `over`. */
  sign(request: ToSign, over: object): Signed
  /** Runs `send` at once within a session; without one, after all others, so that counters arrive in order. */
  inOrder<T>(request: Pick<ToSign, 'signedBy'>, send: () => Promise<T>): Promise<T>
}

type SignerIdentity = Pick<
  AgentIdentity,
  'agentUid' | 'controllerId' | 'controllerX25519' | 'ed25519'
>

/** Reads `identity` for each request, as its keys may change. */
export const createRequestSigner = (identity: SignerIdentity, clock: Clock): RequestSigner => {
  const { agentUid, controllerId } = identity
  const controllerKey = publicKeyFromRaw('X25519', identity.controllerX25519)
  const byConnection = new WeakMap<object, Session>()
  const inTurn = createSerialQueue()
  let newest: Session | undefined
  let lastCounter = 0

  const ofNow = (session: Session | undefined): Session | undefined =>
    session?.ed25519 === identity.ed25519 ? session : undefined
  const sessionFor = (request: Pick<ToSign, 'signedBy'>, over?: object): Session | undefined => {
    if (request.signedBy !== undefined) return undefined
    const session = over === undefined ? undefined : ofNow(byConnection.get(over))
    return session ?? ofNow(newest)
  }

  const inSession = (request: ToSign, over: object, session: Session): Signed => {
    session.counter += 1
    const { id, keys, counter } = session
    const body = sealMessage(keys.request, counter, JSON.stringify(request.body))
    const stamp = { session: id, keys, counter, time: clock.now() }
    const { header, proof } = authorizeInSession({ ...request, controllerId }, body, stamp)
    return {
      authorization: header,
      proof,
      body,
      open: (sealed) => opened(keys, counter, sealed),
      taken: () => {
        byConnection.set(over, session)
      },
      refused: () => {
        byConnection.delete(over)
        if (newest === session) newest = undefined
      },
    }
  }

  const byKey = (request: ToSign, over: object): Signed => {
    const ed25519 = request.signedBy ?? identity.ed25519
    const { enc, keys } = beginSession({ agentUid, controllerId }, controllerKey)
    lastCounter = Math.max(lastCounter + 1, clock.now())
    const body = sealMessage(keys.request, 0, JSON.stringify(request.body))
    const stamp = { agentUid, enc, ed25519, counter: lastCounter, time: clock.now() }
    const { header, proof } = authorizeByKey({ ...request, controllerId }, body, stamp)
    return {
      authorization: header,
      proof,
      body,
      open: (sealed) => opened(keys, 0, sealed),
      taken: (id) => {
        if (id === undefined) return
        newest = { id, keys, ed25519, counter: 0 }
        byConnection.set(over, newest)
      },
      refused: (counter = 0) => {
        if (counter <= clock.now() + mostAheadMs) lastCounter = Math.max(lastCounter, counter)
      },
    }
  }

  return {
    sign: (request, over) => {
      const session = sessionFor(request, over)
      return session === undefined ? byKey(request, over) : inSession(request, over, session)
    },
    inOrder: (request, send) => (sessionFor(request) === undefined ? inTurn(send) : send()),
  }
}

const opened = (keys: SessionKeys, counter: number, sealed: Buffer): unknown => {
  const text = openMessage(keys.answer, counter, sealed)
  if (text !== undefined) return JSON.parse(text)
  const message = 'something between here and the controller answered in its place'
  throw new StagelyError('ServiceUnavailable', message)
}
