// Limits how many agents are let in per second, and how much work each of them may make: so many bytes at once, and so
// many a second after that. One that floods is put off, and keeps no other out. TLS has been paid for by then.
import type { Clock } from '../../../../src/kernel/clock.ts'
import { maxClockSkewMs } from '../../../../src/kernel/clock-skew.ts'
import { createWorkBudget, requestBytes, type WorkBudget } from '../../work-budget.ts'
import { AgentRefusedError } from '../../../orders/agent-refused.ts'

/** The returned function throws 503 with Retry-After when more than `perSecond` come. Each further refusal gets a later time, so that they do not return together. */
export const createConnectLimit = (perSecond: number, clock: Clock): (() => void) => {
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
    throw new AgentRefusedError(
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
  const mentionedAt = new Map<string, number>()
  return (proof) => {
    const now = clock.now()
    for (const [old, at] of mentionedAt) {
      if (now - at < proofLifeMs) break
      mentionedAt.delete(old)
    }
    if (mentionedAt.has(proof))
      throw new AgentRefusedError(401, 'Repeated', 'this very request came before: sign it anew')
    mentionedAt.set(proof, now)
  }
}

export interface AgentCost extends WorkBudget {
  /**
   * Counts a request of the agent. Only what the agent has surely sent itself may count. What is returned takes it back:
   * the controller had asked for it.
   */
  readonly charge: (agentUid: string, bytes: number) => () => void
  /** Counts what costs as much as a new stream. */
  readonly chargeStream: (agentUid: string) => void
}

/** Some times all that an agent tells when it comes back. */
const ofAgent = {
  most: 16 * 1024 * 1024,
  perSecond: 256 * 1024,
  message: 'this agent sends more than the controller works on',
}
/** A request that opens a stream costs as much as so many bytes. */
const streamBytes = 512 * 1024

export const createAgentCost = (clock: Pick<Clock, 'monotonic'>): AgentCost => {
  const work = createWorkBudget(clock, ofAgent)
  const charge: AgentCost['charge'] = (agentUid, bytes) =>
    work.charge(agentUid, requestBytes + bytes)
  return {
    check: work.check,
    charge,
    chargeStream: (agentUid) => {
      charge(agentUid, streamBytes)
    },
  }
}

/** Throws where one agent, or all together, open too many streams. A recorded request costs its agent nothing. */
export const createAdmission = (
  connectsPerSecond: number,
  clock: Clock,
  cost: AgentCost,
): ((caller: { readonly agentUid: string; readonly proof: string }) => void) => {
  const [pass, comeOnce] = [createConnectLimit(connectsPerSecond, clock), createOnce(clock)]
  return ({ agentUid, proof }) => {
    cost.check(agentUid)
    comeOnce(proof)
    cost.chargeStream(agentUid)
    pass()
  }
}
