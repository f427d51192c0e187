// Finds two machines that use the identity of one agent, as after a disk was cloned. They replace each other's stream
// again and again, or each has a stream on another replica. Both run where a start of the agent (its boot id) connects
// or reports after another start has replaced it. A machine that was restarted has a new boot id.
import { agentRefOf } from '../../../../src/protocol/agent-key.ts'
import { system, type AgentRoutesDeps } from '../deps.ts'
import type { AgentStream } from './agent-stream.ts'

/** Replaced boot ids that are remembered of one agent. */
const mostRemembered = 8
const tellEveryMs = 60 * 60_000
/** Reports of an earlier start may come for this time after a new start. */
const lateMs = 60_000

type Stream = Pick<AgentStream, 'agentKey' | 'agentUid' | 'boot'>

export interface Duplicates {
  /** To be called when a stream was opened; `replaced` is the stream that it ended. */
  opened(stream: Stream, replaced: Stream | undefined): void
  /** To be called for a report of a start that does not have the newest stream of the agent. */
  reportedLate(from: Stream): void
}

export const createDuplicates = ({
  store,
  clock,
  log,
}: Pick<AgentRoutesDeps, 'store' | 'clock' | 'log'>): Duplicates => {
  const replacedBoots = new Map<string, readonly string[]>()
  const toldAt = new Map<string, number>()
  const lateSince = new Map<string, { readonly boot: string; readonly since: number }>()

  const tell = async (agentKey: string, agentUid: string): Promise<void> => {
    const ref = agentRefOf(agentKey)
    const message = `two machines run with the keys of this agent, and take the connection from each other: revoke it (stagely agent revoke ${ref.name}), and join each machine anew under a name of its own`
    log.warn({ agent: agentKey }, message)
    await store.write(system, {}, async (tx) => {
      const regarding = await tx.get(ref)
      if (regarding?.metadata.uid !== agentUid) return
      await tx.recordEvent({ regarding, type: 'Warning', reason: 'DuplicateIdentity', message })
    })
  }

  const tellOnce = (agentKey: string, agentUid: string): void => {
    const now = clock.now()
    if (now - (toldAt.get(agentKey) ?? -Infinity) < tellEveryMs) return
    toldAt.set(agentKey, now)
    tell(agentKey, agentUid).catch((error: unknown) =>
      log.error({ err: error, agent: agentKey }, 'cannot tell of two agents with one identity'),
    )
  }

  return {
    opened: ({ agentKey, agentUid, boot }, replaced) => {
      const boots = replacedBoots.get(agentKey) ?? []
      if (replaced !== undefined && replaced.boot !== boot) {
        const others = boots.filter((b) => b !== replaced.boot)
        replacedBoots.set(agentKey, [...others, replaced.boot].slice(-mostRemembered))
      }
      if (boots.includes(boot)) tellOnce(agentKey, agentUid)
    },
    reportedLate: ({ agentKey, agentUid, boot }) => {
      const since = lateSince.get(agentKey)
      if (since?.boot !== boot) lateSince.set(agentKey, { boot, since: clock.now() })
      else if (clock.now() - since.since >= lateMs) tellOnce(agentKey, agentUid)
    },
  }
}
