// Where values lie: asks every agent of a team to look through its machine. Nothing is stored, and no agent learns a value
// (ADR 0090).
import { morePlaces, mostPlaces, type FoundPlace } from '../../src/protocol/look.ts'
import type { Store } from '../../src/store/store.ts'
import type { AgentTasks, LookOutcome, NotAnswered } from '../orders/tasks.ts'
import { printsFor, type WantedValue } from './prints.ts'

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

export interface Wanted {
  readonly values: readonly WantedValue[]
  readonly containersOnly: boolean
}

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
      const { guessable, ...prints } = printsFor(name, wanted.values)
      if (guessable.length === wanted.values.length) return notAsked(name)
      const { containersOnly } = wanted
      const outcome = await tasks.look(
        `${namespace}/${name}`,
        { ...prints, containersOnly },
        signal,
      )
      const asked = [...prints.values, ...prints.prints].map((value) => value.name)
      const found = agentLookOf(name, ofAsked(outcome, asked), status.lastLost ?? status.lastSeen)
      return guessable.length === 0 || found.state === 'unknown'
        ? found
        : { ...found, unread: [notLookedFor(guessable), ...found.unread] }
    }),
  )
}

/** Whoever holds a machine that has not got a value could try guesses on its fingerprint, as many as they like. */
const why = 'this machine has not got it, and could guess it from its fingerprint'

const notAsked = (agent: string): AgentLook => ({
  agent,
  state: 'unknown',
  message: `nothing was looked for: ${why}. Give the secret a generated value, or look there by hand`,
  places: [],
  unread: [],
})

const notLookedFor = (names: readonly string[]): string =>
  `version ${names.join(', ')} was not looked for: ${why}`

/** What an agent was not asked for it has not found. A place counts for each of its values: as many rows are shown. */
const ofAsked = (outcome: LookOutcome, asked: readonly string[]): LookOutcome => {
  if (typeof outcome !== 'object' || !('places' in outcome)) return outcome
  let more = -mostPlaces
  const places = outcome.places.flatMap((place) => {
    const values = asked.filter((name) => place.values.includes(name))
    const room = Math.max(0, -more)
    more += values.length
    return room === 0 || values.length === 0 ? [] : [{ ...place, values: values.slice(0, room) }]
  })
  const unread = more > 0 ? [morePlaces(more), ...outcome.unread] : outcome.unread
  return { places, unread }
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

/** In words that follow the agent's name. */
export const whyUnknown = (outcome: NotAnswered): string => {
  if (outcome === 'away') return 'it has no connection to a controller: look at its machine'
  if (outcome === 'tooOld')
    return 'it, or the controller that it is connected to, is older than looks: upgrade it'
  return outcome.failed
}
