// How containers ended, from the engine's events. The engine sends `stop` where somebody asked for it (`docker stop`,
// `docker compose stop`, `down`), `kill` and then `die` for a signal, and `die` alone for a crash.
import type { EngineEvent } from '../docker/engine.ts'

export interface ContainerExit {
  readonly how: 'Stopped' | 'Killed' | 'Died'
  readonly atMs: number
}

export interface ContainerExits {
  /** Takes an event. Undefined: events were missed, so that all that is known is forgotten. */
  note(event: EngineEvent | undefined, nowMs: number): void
  /** Undefined: the container runs, or ended without an event. `Killed` from the signal on, which may not have ended it. */
  readonly exitOf: (containerId: string) => ContainerExit | undefined
}

const mostKept = 500

export const createContainerExits = (): ContainerExits => {
  const byId = new Map<string, ContainerExit>()
  /** Containers that got a signal, and when. Some signals end no container, as SIGHUP. */
  const signalled = new Map<string, number>()

  const put = <T>(map: Map<string, T>, id: string, value: T): void => {
    map.set(id, value)
    const oldest = map.keys().next().value
    if (map.size > mostKept && oldest !== undefined) map.delete(oldest)
  }
  return {
    note: (event, nowMs) => {
      if (event === undefined) {
        byId.clear()
        signalled.clear()
        return
      }
      const id = event.Actor.ID
      switch (event.Action) {
        case 'start':
          byId.delete(id)
          signalled.delete(id)
          return
        case 'kill':
          put(signalled, id, nowMs)
          return
        case 'stop':
          put(byId, id, { how: 'Stopped', atMs: nowMs })
          return
        case 'die':
          if (!byId.has(id))
            put(byId, id, { how: signalled.has(id) ? 'Killed' : 'Died', atMs: nowMs })
          signalled.delete(id)
          return
        default:
          return
      }
    },
    exitOf: (id) => {
      const signalledAt = signalled.get(id)
      // The container's end may be seen before its event comes.
      const killed = signalledAt === undefined ? undefined : { how: 'Killed', atMs: signalledAt }
      return byId.get(id) ?? (killed as ContainerExit | undefined)
    },
  }
}
