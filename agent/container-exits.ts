// How containers ended, as far as the engine's events tell: the engine says `stop` only where somebody
// asked for it (`docker stop`, `docker compose stop`, `down`), `kill` and then `die` for a signal, and
// `die` alone for a crash.
import type { EngineEvent } from './docker/engine.ts'

export interface ContainerExit {
  readonly how: 'Stopped' | 'Killed' | 'Died'
  readonly atMs: number
}

export interface ContainerExits {
  /** Takes an event; undefined says that some were missed, so that nothing known holds any more. */
  note(event: EngineEvent | undefined, nowMs: number): void
  /** undefined: it runs untouched, or ended unseen. `Killed` from the signal on, which may not have ended it. */
  readonly of: (containerId: string) => ContainerExit | undefined
}

const mostKept = 500

export const createContainerExits = (): ContainerExits => {
  const byId = new Map<string, ContainerExit>()
  /** Got a signal; not ended by it yet, or never, as by SIGHUP. */
  const signalled = new Map<string, number>()

  const put = (id: string, ending: ContainerExit): void => {
    byId.set(id, ending)
    const oldest = byId.keys().next().value
    if (byId.size > mostKept && oldest !== undefined) byId.delete(oldest)
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
          signalled.set(id, nowMs)
          return
        case 'stop':
          put(id, { how: 'Stopped', atMs: nowMs })
          return
        case 'die':
          if (!byId.has(id)) put(id, { how: signalled.has(id) ? 'Killed' : 'Died', atMs: nowMs })
          signalled.delete(id)
          return
        default:
          return
      }
    },
    of: (id) => {
      const signalledAt = signalled.get(id)
      // What became of it may be seen before it is told.
      const killed = signalledAt === undefined ? undefined : { how: 'Killed', atMs: signalledAt }
      return byId.get(id) ?? (killed as ContainerExit | undefined)
    },
  }
}
