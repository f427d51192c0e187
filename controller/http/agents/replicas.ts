// Replicas that went away with the streams they held: each says now and then that it is there, and
// the leader declares those agents gone which nobody holds and who did not come back.
import type { Clock } from '../../../src/kernel/clock.ts'
import { isAbort, messageOf } from '../../../src/kernel/errors.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import type { AgentConnections } from '../../../src/store/agent-connections.ts'
import { isDeposed } from '../../../src/store/errors.ts'
import type { SqlStore } from '../../../src/store/sql-store.ts'
import { agentKeyOf, defaultTuning, system } from './deps.ts'
import { writeGone } from './presence.ts'

const everyMs = 5_000
const mostInOneWrite = 100

export interface ReplicaDeps {
  readonly connections: AgentConnections
  readonly clock: Clock
  readonly log: Logger
}

/** Resolves once `signal` has aborted. */
export const beatUntil = async (
  signal: AbortSignal,
  { connections, clock, log }: ReplicaDeps,
): Promise<void> => {
  while (!signal.aborted) {
    await clock.sleep(everyMs, signal).catch(() => undefined)
    if (signal.aborted) return
    await connections.beat().catch((error: unknown) => {
      log.warn({ err: messageOf(error) }, 'cannot tell the other replicas that this one is there')
    })
  }
}

/** For the leader; `store` is his. Agents get `graceMs` after a change of the leader as well. */
export const startSweep = (
  { connections, clock, log, store }: ReplicaDeps & { store: SqlStore },
  graceMs = defaultTuning.startGraceMs,
): { stop(): Promise<void> } => {
  const stopping = new AbortController()

  const sweep = async (): Promise<void> => {
    const lost = await connections.lost(graceMs)
    for (let i = 0; i < lost.length; i += mostInOneWrite) {
      const batch = lost.slice(i, i + mostInOneWrite)
      await connections.write(
        system,
        async (tx, streams) => {
          for (const { uid, namespace, name } of batch) {
            // Meanwhile it may have come back.
            if (!(await streams.gone(uid))) continue
            await writeGone(tx, agentKeyOf(namespace, name), uid, clock.now())
          }
        },
        store,
      )
    }
  }

  const run = async (): Promise<void> => {
    await clock.sleep(graceMs, stopping.signal)
    for (;;) {
      await sweep().catch((error: unknown) => {
        if (!isDeposed(error)) log.warn({ err: messageOf(error) }, 'cannot look for lost agents')
      })
      await clock.sleep(Math.min(everyMs, graceMs), stopping.signal)
    }
  }
  const running = run().catch((error: unknown) => {
    if (!isAbort(error)) throw error
  })

  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
