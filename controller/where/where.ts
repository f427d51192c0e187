// Where values lie: asks every agent of a team to look through its machine. Nothing is stored.
import type { FoundPlace, LookOrder } from '../../src/protocol/look.ts'
import type { Store } from '../../src/store/store.ts'
import type { AgentTasks, LookOutcome } from '../http/agents/orders/tasks.ts'

/** What an agent has found. `unknown`: nobody looked there. */
export interface AgentLook {
  readonly agent: string
  readonly state: 'looked' | 'unknown'
  /** Of an agent that is not known: since when nothing was heard of it, where that is known. */
  readonly since?: string
  /** Why nobody looked there. */
  readonly message?: string
  readonly places: readonly FoundPlace[]
  /** What was not looked through. */
  readonly unread: readonly string[]
}

export interface WhereDeps {
  readonly store: Pick<Store, 'list'>
  readonly tasks: Pick<AgentTasks, 'look'>
}

type Wanted = Pick<LookOrder, 'values' | 'containersOnly'>

/** Asks all agents of the team at once. Never rejects for an agent that does not answer. */
export const lookEverywhere = async (
  { store, tasks }: WhereDeps,
  namespace: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<AgentLook[]> => {
  const { items } = await store.list('Agent', { namespace })
  return Promise.all(
    items.map(async ({ metadata: { name }, status = {} }): Promise<AgentLook> => {
      const outcome = await tasks.look(`${namespace}/${name}`, wanted, signal)
      return agentLookOf(name, outcome, status.lastLost ?? status.lastSeen)
    }),
  )
}

const agentLookOf = (
  agent: string,
  outcome: LookOutcome,
  lastHeard: string | undefined,
): AgentLook => {
  if (typeof outcome === 'object' && 'places' in outcome)
    return { agent, state: 'looked', places: outcome.places, unread: outcome.unread }
  const since = lastHeard === undefined ? {} : { since: lastHeard }
  return { agent, state: 'unknown', ...since, message: whyUnknown(outcome), places: [], unread: [] }
}

const whyUnknown = (outcome: Exclude<LookOutcome, { places: unknown }>): string => {
  if (outcome === 'away') return 'it has no connection to a controller: look at its machine'
  if (outcome === 'tooOld')
    return 'it, or the controller that it is connected to, is older than looks: upgrade it'
  return outcome.failed
}
