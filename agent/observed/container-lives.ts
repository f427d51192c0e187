// When the engine made and removed containers with secrets, by its events and by what it says of those that are there. The
// engine keeps some of its last events: what an agent has missed is asked for once.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import type { RemovedContainer } from '../../src/kinds/observation/schema.ts'
import { digestLabel } from '../../src/resources/meta.ts'
import type { Engine, EngineEvent } from '../docker/engine.ts'
import { shortId, type ObservedContainer } from './container.ts'
import { labels } from './observe.ts'

export interface ContainerLives {
  /** Takes an event. Undefined: events were missed. */
  readonly note: (event: EngineEvent | undefined) => void
  /** Asks for the events of the project that were missed. */
  readonly catchUp: (engine: Pick<Engine, 'pastEvents'>, project: string) => Promise<void>
  /** The last that were removed, the newest last. `present`: those that are there. */
  readonly removed: (present: readonly ObservedContainer[]) => RemovedContainer[]
}

const mostMade = 1_000
const mostRemoved = 50

const trim = (map: Map<string, unknown>, most: number): void => {
  const oldest = map.keys().next().value
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}

export const createContainerLives = (): ContainerLives => {
  const madeById = new Map<string, string>()
  const removedById = new Map<string, RemovedContainer>()
  let caughtUpWith: string | undefined

  const note: ContainerLives['note'] = (event) => {
    if (event === undefined) caughtUpWith = undefined
    const { Action: action, Actor: actor, timeNano } = event ?? {}
    if (actor === undefined || timeNano === undefined) return
    const at = toFineTimestamp(timeNano / 1e6)
    const id = shortId(actor.ID)
    if (action === 'create') {
      if (!madeById.has(id)) madeById.set(id, at)
      trim(madeById, mostMade)
    }
    const digest = actor.Attributes[digestLabel] ?? ''
    const service = actor.Attributes[labels.service]
    if (action !== 'destroy' || digest === '' || service === undefined) return
    const life = { id, service, digest, ...defined({ made: madeById.get(id) }), at }
    if (!removedById.has(id)) removedById.set(id, life)
    trim(removedById, mostRemoved)
  }
  return {
    note,
    catchUp: async (engine, project) => {
      if (caughtUpWith === project) return
      caughtUpWith = project
      try {
        for (const event of await engine.pastEvents(project, ['create', 'destroy'])) note(event)
      } catch (error) {
        caughtUpWith = undefined
        throw error
      }
    },
    removed: (present) => {
      for (const { id, madeAt } of present)
        if (madeAt !== undefined && !madeById.has(shortId(id))) madeById.set(shortId(id), madeAt)
      return [...removedById.values()]
    },
  }
}
