// One event stream of the engine for all stagelets of the agent, passed on by Compose project.
import { background, logFault } from '../../src/kernel/async/background.ts'
import { backoffMs } from '../../src/kernel/backoff.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { isAbort, messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Engine, EngineEvent } from './engine.ts'

/**
 * `event` undefined: the stream was lost at `lostAtMs` (monotonic), and events are missed since. Told at the loss, as the
 * containers may be looked at before the stream is back, and again when it is.
 */
export type EventListener = (event: EngineEvent | undefined, lostAtMs: number) => void

export interface EventHub {
  /** Calls `onEvent` with each event of a project's container, and at both ends of each gap. Returns stop(). */
  subscribe(project: string, onEvent: EventListener): () => void
  stop(): void
}

// Health checks make exec_* events each second: the engine filters them out.
const actions = [
  'create',
  'start',
  'kill',
  'stop',
  'die',
  'destroy',
  'rename',
  'health_status',
  'pause',
  'unpause',
]
const projectLabel = 'com.docker.compose.project'

export const createEventHub = (deps: {
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Logger
}): EventHub => {
  const listeners = new Map<string, Set<EventListener>>()
  const stopping = new AbortController()
  let attempt = 0
  let lostAtMs = deps.clock.monotonic()

  const notify = (project: string, event: EngineEvent | undefined): void => {
    for (const listener of listeners.get(project) ?? []) listener(event, lostAtMs)
  }
  const notifyGap = (): void => {
    for (const project of listeners.keys()) notify(project, undefined)
  }
  const onOpen = (): void => {
    attempt = 0
    notifyGap()
  }
  const run = async (): Promise<void> => {
    const filters = { label: [projectLabel], event: actions, onOpen }
    while (!stopping.signal.aborted) {
      try {
        await deps.engine.events(
          filters,
          (event) => notify(event.Actor.Attributes[projectLabel] ?? '', event),
          stopping.signal,
        )
      } catch (error) {
        if (stopping.signal.aborted) return
        // Only the first failure counts, not each try to open the stream again.
        if (attempt === 0) {
          lostAtMs = deps.clock.monotonic()
          notifyGap()
        }
        deps.log.warn({ error: messageOf(error) }, 'event stream of the engine was lost')
        const delay = 200 + backoffMs(attempt++, { baseMs: 500, capMs: 15_000 })
        await deps.clock.sleep(delay, stopping.signal).catch((e: unknown) => {
          if (!isAbort(e)) throw e
        })
      }
    }
  }
  background(run, logFault(deps.log, 'events of the engine are read no more'))

  return {
    subscribe: (project, onEvent) => {
      const set = listeners.get(project) ?? new Set()
      listeners.set(project, set.add(onEvent))
      return () => {
        set.delete(onEvent)
        if (set.size === 0 && listeners.get(project) === set) listeners.delete(project)
      }
    },
    stop: () => stopping.abort(),
  }
}
