// Two machines with the identity of one agent, as after a disk was cloned, take each other's stream
// for ever, or hold one each on different replicas. A start that another one replaced comes back, or
// goes on reporting, only where both run: a machine that lost its power, whose old stream looks alive
// for a while, comes back as a new one.
import { agentRefOf, system, type AgentRoutesDeps } from './deps.ts'
import type { Session } from './session.ts'

/** Of one agent; what is further back no longer matters. */
const mostRemembered = 8
const tellEveryMs = 60 * 60_000
/** What was on its way when an agent was started anew has arrived, or been given up, by then. */
const lateMs = 60_000

type Stream = Pick<Session, 'agentKey' | 'agentUid' | 'boot'>

export interface Duplicates {
  /** A stream was opened; `replaced` was open until then. */
  opened(stream: Stream, replaced: Stream | undefined): void
  /** A report came from a start whose stream is not the newest, here or on another replica. */
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
    tell(agentKey, agentUid).catch((error: unknown) => {
      log.error({ err: error, agent: agentKey }, 'cannot tell of two agents with one identity')
    })
  }

  return {
    opened: ({ agentKey, agentUid, boot }, replaced) => {
      const known = replacedBoots.get(agentKey) ?? []
      if (replaced !== undefined && replaced.boot !== boot) {
        const others = known.filter((b) => b !== replaced.boot)
        replacedBoots.set(agentKey, [...others, replaced.boot].slice(-mostRemembered))
      }
      if (known.includes(boot)) tellOnce(agentKey, agentUid)
    },
    reportedLate: ({ agentKey, agentUid, boot }) => {
      const known = lateSince.get(agentKey)
      if (known?.boot !== boot) lateSince.set(agentKey, { boot, since: clock.now() })
      else if (clock.now() - known.since >= lateMs) tellOnce(agentKey, agentUid)
    },
  }
}
