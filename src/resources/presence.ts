// Whether what an agent has reported is still known to be so. While an agent is away anything may happen
// on its machine, so that a report counts only for the presence in which it came.
import type { AgentStatus } from './agent.ts'
import { isTrue } from './conditions.ts'
import type { KubeObject } from './meta.ts'

type Agent = KubeObject<unknown, AgentStatus>

/** Names the time since which the agent is seen: another one after each absence, and for a new agent of the same name. */
export const presenceOf = ({ metadata, status }: Agent): string =>
  `${metadata.uid ?? ''}/${status?.lastLost ?? ''}`

/** Since the agent was last lost it has reported this. Reports of before there were presences count until it is lost. */
export const isReportedSince = (agent: Agent, presence: string | undefined): boolean =>
  presence === undefined ? agent.status?.lastLost === undefined : presence === presenceOf(agent)

/** The agent is here, and has reported since it came. */
export const isSeen = (agent: Agent | undefined, presence: string | undefined): boolean =>
  agent !== undefined &&
  isTrue(agent.status?.conditions, 'Ready') &&
  isReportedSince(agent, presence)
