// Sessions of agents with this replica, in memory. After a restart, and at another replica, an agent begins a new
// session with its key.
import { randomBytes } from 'node:crypto'
import type { SessionKeys } from '../../../../src/protocol/agent-request.ts'
import { CounterWindow } from '../../../../src/protocol/counter-window.ts'

interface RequestSession {
  readonly id: string
  readonly agentUid: string
  /** The key that began the session. A new key ends it. */
  readonly ed25519: string
  readonly keys: SessionKeys
  readonly window: CounterWindow
  /** Which of the sessions of this process it is. */
  readonly number: number
}

interface AgentSessions {
  readonly ids: string[]
  /** The newest request for a stream: by session, then by counter. */
  stream: readonly [session: number, counter: number]
}

/** Sessions of one agent: it begins one for each connection to this replica. */
const mostOfAgent = 8

export class RequestSessions {
  readonly #byId = new Map<string, RequestSession>()
  readonly #byAgent = new Map<string, AgentSessions>()
  #begun = 0

  begin(what: Pick<RequestSession, 'agentUid' | 'ed25519' | 'keys'>): RequestSession {
    const id = randomBytes(16).toString('base64url')
    this.#begun += 1
    const session = { ...what, id, window: new CounterWindow(), number: this.#begun }
    this.#byId.set(id, session)
    const { ids, stream } = this.#byAgent.get(what.agentUid) ?? { ids: [], stream: [0, 0] as const }
    ids.push(id)
    for (const old of ids.splice(0, ids.length - mostOfAgent)) this.#byId.delete(old)
    this.#byAgent.set(what.agentUid, { ids, stream })
    return session
  }

  /**
   * Whether a request for a stream is newer than all of this agent that were counted here, and notes it. One that was
   * held back on its way would replace the stream of now. Sessions begin in the order of the key's counters.
   */
  takeStream({ agentUid, number }: RequestSession, counter: number): boolean {
    const own = this.#byAgent.get(agentUid)
    if (own === undefined) return false
    const [session, newest] = own.stream
    if (number < session || (number === session && counter < newest)) return false
    own.stream = [number, counter]
    return true
  }

  find(id: string): RequestSession | undefined {
    return this.#byId.get(id)
  }

  /** To be called when the agent is gone or has another key. */
  endAll(agentUid: string): void {
    for (const id of this.#byAgent.get(agentUid)?.ids ?? []) this.#byId.delete(id)
    this.#byAgent.delete(agentUid)
  }
}
