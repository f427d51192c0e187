// Limits how many agents are let in per second, and how much work each of them may make: so many bytes at once, and so
// many a second after that. One that floods is put off, and keeps no other out. TLS has been paid for by then.
import type { Clock } from '../../../src/kernel/clock.ts'
import { maxClockSkewMs } from '../../../src/kernel/clock-skew.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { RefusedError } from './refusal.ts'

/** The returned function throws 503 with Retry-After when more than `perSecond` come. Each further refusal gets a later time, so that they do not return together. */
export const createGate = (perSecond: number, clock: Clock): (() => void) => {
  let tokens = perSecond
  let last = clock.now()
  let refused = 0
  return () => {
    const now = clock.now()
    // A clock that is set back must not take tokens away.
    const earned = (Math.max(0, now - last) / 1000) * perSecond
    tokens = Math.min(perSecond, tokens + earned)
    refused = Math.max(0, refused - earned)
    last = now
    if (tokens >= 1) {
      tokens -= 1
      return
    }
    refused += 1
    const seconds = 1 + Math.floor(refused / perSecond)
    throw new RefusedError(
      503,
      'Overload',
      'many agents connect just now; come back later',
      seconds,
    )
  }
}

/** A proof of an older time is refused for its time. */
const proofLifeMs = 2 * maxClockSkewMs

/** The returned function throws 401 for a proof that has come before: who has recorded one passes a gate once with it. */
const createOnce = (clock: Pick<Clock, 'now'>): ((proof: string) => void) => {
  const seen = new Map<string, number>()
  return (proof) => {
    const now = clock.now()
    for (const [old, at] of seen) {
      if (now - at < proofLifeMs) break
      seen.delete(old)
    }
    if (seen.has(proof))
      throw new RefusedError(401, 'Repeated', 'this very request came before: sign it anew')
    seen.set(proof, now)
  }
}

export interface AgentCost {
  /** TooManyRequests while the agent owes work. */
  check(agentUid: string): void
  /**
   * Counts a request of the agent. Only what the agent has surely sent itself may count. What is returned takes it back:
   * the controller had asked for it.
   */
  charge(agentUid: string, bytes: number): () => void
  /** Counts what costs as much as a new stream. */
  chargeStream(agentUid: string): void
}

/** Some times all that an agent tells when it comes back. */
const most = 16 * 1024 * 1024
const perSecond = 256 * 1024
/** A request costs as much as so many bytes. */
const requestBytes = 8_192
/** And one that opens a stream. */
const streamBytes = 512 * 1024
const mostKnown = 20_000

export const createAgentCost = (clock: Pick<Clock, 'monotonic'>): AgentCost => {
  const known = new Map<string, { left: number; at: number }>()
  const leftOf = (agentUid: string): number => {
    const last = known.get(agentUid)
    if (last === undefined) return most
    return Math.min(most, last.left + ((clock.monotonic() - last.at) / 1_000) * perSecond)
  }
  const forgetRested = (): void => {
    for (const agentUid of known.keys()) if (leftOf(agentUid) === most) known.delete(agentUid)
  }
  const spend = (agentUid: string, bytes: number): void => {
    known.set(agentUid, { left: leftOf(agentUid) - bytes, at: clock.monotonic() })
  }
  const charge = (agentUid: string, bytes: number): (() => void) => {
    if (known.size >= mostKnown) forgetRested()
    const all = requestBytes + bytes
    spend(agentUid, all)
    return () => spend(agentUid, -all)
  }
  return {
    charge,
    chargeStream: (agentUid) => {
      charge(agentUid, streamBytes)
    },
    check: (agentUid) => {
      const left = leftOf(agentUid)
      if (left >= 0) return
      const retryAfterSeconds = Math.ceil(-left / perSecond)
      throw new StagelyError(
        'TooManyRequests',
        `this agent sends more than the controller works on; try again in ${retryAfterSeconds} s`,
        { retryAfterSeconds },
      )
    },
  }
}

/** Throws where one agent, or all together, open too many streams. A recorded request costs its agent nothing. */
export const createDoor = (
  connectsPerSecond: number,
  clock: Clock,
  cost: AgentCost,
): ((caller: { readonly agentUid: string; readonly proof: string }) => void) => {
  const [pass, comeOnce] = [createGate(connectsPerSecond, clock), createOnce(clock)]
  return ({ agentUid, proof }) => {
    cost.check(agentUid)
    comeOnce(proof)
    cost.chargeStream(agentUid)
    pass()
  }
}
