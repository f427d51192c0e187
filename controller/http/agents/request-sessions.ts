// Sessions of agents with this replica, in memory. After a restart, and at another replica, an agent begins a new
// session with its key.
import { randomBytes } from 'node:crypto'
import type { SessionKeys } from '../../../src/protocol/agent-request.ts'
import { CounterWindow } from '../../../src/protocol/counter-window.ts'

interface RequestSession {
  readonly id: string
  readonly agentUid: string
  /** The key that began the session. A new key ends it. */
  readonly ed25519: string
  readonly keys: SessionKeys
  readonly window: CounterWindow
}

/** Sessions of one agent: it begins one for each connection to this replica. */
const mostOfAgent = 8

export class RequestSessions {
  readonly #byId = new Map<string, RequestSession>()
  readonly #byAgent = new Map<string, string[]>()

  begin(what: Pick<RequestSession, 'agentUid' | 'ed25519' | 'keys'>): RequestSession {
    const id = randomBytes(16).toString('base64url')
    const session = { ...what, id, window: new CounterWindow() }
    this.#byId.set(id, session)
    const ids = [...(this.#byAgent.get(what.agentUid) ?? []), id]
    for (const old of ids.splice(0, ids.length - mostOfAgent)) this.#byId.delete(old)
    this.#byAgent.set(what.agentUid, ids)
    return session
  }

  find(id: string): RequestSession | undefined {
    return this.#byId.get(id)
  }

  /** To be called when the agent is gone or has another key. */
  endAll(agentUid: string): void {
    for (const id of this.#byAgent.get(agentUid) ?? []) this.#byId.delete(id)
    this.#byAgent.delete(agentUid)
  }
}
