// The refusal of what an agent sends, as an HTTP status with { reason, message }.
export interface RefusedAgent {
  readonly agentKey: string
  readonly agentUid: string
  /** The agent's clock minus this one, in ms, as the request tells it. */
  readonly aheadMs: number
}

/** A refusal. The message names the remedy and never a secret. */
export class AgentRefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  readonly reason: string
  readonly retryAfterSeconds: number | undefined
  /** The agent that proved who it is, where it cannot work with this controller. */
  agent: RefusedAgent | undefined

  constructor(status: number, reason: string, message: string, retryAfterSeconds?: number) {
    super(message)
    this.status = status
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export const mostNamed = 10

/** Names of fields may come from outside: neither many nor long ones are repeated. */
export const malformed = (fields: readonly string[]): AgentRefusedError => {
  const named = new Set(fields.slice(0, 1_000).map((field) => field.slice(0, 100) || 'the body'))
  const message = `the message is malformed at: ${[...named].slice(0, mostNamed).join(', ')}`
  return new AgentRefusedError(400, 'BadRequest', message)
}
