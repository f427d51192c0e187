// The state of an agent in one word. Pure.
import type { Agent, Stagelet } from '../../../src/generated/rest-types.ts'
import { isTrouble, conditionWords } from '../../live/conditions.ts'
import { conditionOf } from '../../live/states.ts'
import type { StateKind } from '../../ui/state.tsx'

interface AgentState {
  readonly kind: StateKind
  readonly word: string
  readonly why: string
  /** When that state began. */
  readonly since: string | undefined
}

export const isConnected = (agent: Agent): boolean => conditionOf(agent, 'Ready')?.status === 'True'

export const agentState = (agent: Agent): AgentState => {
  const ready = conditionOf(agent, 'Ready')
  const why = ready?.message ?? ''
  if (ready?.status === 'True') {
    const since = agent.connected_since ?? ready.since
    if (agent.paused)
      return { kind: 'paused', word: 'Paused', why: 'It reports, and changes nothing.', since }
    return agent.drained
      ? { kind: 'wait', word: 'Drained', why: 'It gets no new revision.', since }
      : { kind: 'ok', word: 'Connected', why, since }
  }
  if (agent.version === undefined)
    return {
      kind: 'wait',
      word: 'Not joined',
      why: why || 'No machine has joined as this agent.',
      since: agent.created_at,
    }
  const isRevoked = ready?.reason === 'Revoked'
  if (isRevoked) return { kind: 'fail', word: 'Revoked', why, since: ready.since }
  // It calls, and is refused: what to do is in the message.
  const refused = agent.conditions.find(
    (condition) => isTrouble(condition) && condition.type !== 'Ready',
  )
  if (refused !== undefined)
    return {
      kind: 'fail',
      word: conditionWords(refused),
      why: refused.message,
      since: refused.since,
    }
  return { kind: 'unknown', word: 'Offline', why, since: agent.last_seen ?? ready?.since }
}

/** A larger difference between the clocks of controller and agent is a warning. */
const skewLimitMs = 5000

export const isSkewed = ({ clock_skew_ms: skew = 0 }: Agent): boolean =>
  Math.abs(skew) > skewLimitMs

/** `+120 ms`, `–3 s`; of who never connected, nothing. */
export const skewText = ({ clock_skew_ms: skew }: Agent): string => {
  if (skew === undefined) return '–'
  const sign = skew < 0 ? '–' : '+'
  const size = Math.abs(skew)
  return size < 1000 ? `${sign}${size} ms` : `${sign}${(size / 1000).toFixed(1)} s`
}

export const stageletsOn = (agent: Agent, all: readonly Stagelet[]): readonly Stagelet[] =>
  all.filter(({ team, agent: name }) => team === agent.team && name === agent.name)
