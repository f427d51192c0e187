// Signs and seals what this agent asks of its controller. A session is made with each replica that is
// met, and kept by the connection that leads there: one whose replica does not know the session begins
// another with a request that is signed by the agent's key itself, which any replica takes.
import type { KeyObject } from 'node:crypto'
import type { Clock } from '../src/kernel/clock.ts'
import { StagelyError } from '../src/kernel/errors.ts'
import {
  authorizeByKey,
  authorizeInSession,
  beginSession,
  openMessage,
  sealMessage,
  type SessionKeys,
} from '../src/protocol/agent-request.ts'
import { publicKeyFromRaw } from '../src/protocol/keys.ts'
import type { Identity } from './identity.ts'

/** How far ahead of the clock the controller may say that counters are: a clock that was set back. */
const mostAheadMs = 15 * 60_000

interface Session {
  readonly id: string
  readonly keys: SessionKeys
  /** The key that began it. */
  readonly ed25519: KeyObject
  counter: number
}

export interface ToSign {
  readonly method: string
  readonly path: string
  readonly body: unknown
  /** Signs with this key and in no session; absent: with the agent's, where there is no session. */
  readonly signedBy?: KeyObject
}

export interface Signed {
  readonly authorization: string
  readonly proof: string
  readonly body: Buffer
  /** What the controller answers. ServiceUnavailable where another has made it. */
  open(sealed: Buffer): unknown
  /** The request was taken, and began this session where one is named. */
  taken(session: string | undefined): void
  /** The controller does not take it: the session is unknown, or the counter was used up to `counter`. */
  refused(counter: number | undefined): void
}

export interface RequestSigner {
  /** `over` is the connection that it is for. */
  sign(request: ToSign, over: object): Signed
  /** Sends it at once within a session; without one, once no other is on its way, so that counters arrive in order. */
  inOrder<T>(request: Pick<ToSign, 'signedBy'>, send: () => Promise<T>): Promise<T>
}

type SignerIdentity = Pick<Identity, 'agentUid' | 'controllerId' | 'controllerX25519' | 'ed25519'>

/** `identity` is looked at for each request, as its keys may change. */
export const createRequestSigner = (identity: SignerIdentity, clock: Clock): RequestSigner => {
  const { agentUid, controllerId } = identity
  const controllerKey = publicKeyFromRaw('X25519', identity.controllerX25519)
  const byConnection = new WeakMap<object, Session>()
  const inTurn = createTurns()
  let newest: Session | undefined
  let lastCounter = 0

  const ofNow = (session: Session | undefined): Session | undefined =>
    session?.ed25519 === identity.ed25519 ? session : undefined
  const sessionFor = (request: Pick<ToSign, 'signedBy'>, over?: object): Session | undefined => {
    if (request.signedBy !== undefined) return undefined
    const known = over === undefined ? undefined : ofNow(byConnection.get(over))
    return known ?? ofNow(newest)
  }

  const inSession = (request: ToSign, over: object, session: Session): Signed => {
    session.counter += 1
    const { id, keys, counter } = session
    const body = sealMessage(keys.request, counter, JSON.stringify(request.body))
    const stamp = { session: id, keys, counter, time: clock.now() }
    const { header, proof } = authorizeInSession({ ...request, controllerId }, body, stamp)
    return {
      ...{ authorization: header, proof, body },
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
      ...{ authorization: header, proof, body },
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

/** One after the other, whatever becomes of those before. */
const createTurns = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}
