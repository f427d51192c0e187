// Whether an agent's last report still describes the present. While an agent is away, anything may
// happen on its machine. So a report counts only during the presence in which it was made.
import type { AgentStatus } from './schema.ts'
import { isTrue } from '../../resources/conditions.ts'
import type { KubeObject } from '../../resources/meta.ts'

type Agent = KubeObject<unknown, AgentStatus>

/**
 * Identifies the time since which the agent is connected. It changes after each absence, and for a new
 * agent of the same name.
 */
export const presenceOf = ({ metadata, status }: Agent): string =>
  `${metadata.uid ?? ''}/${status?.lastLost ?? ''}`

/**
 * True when the report is from the present presence. A report from before presences existed counts
 * until the agent is lost.
 */
export const isReportedSince = (agent: Agent, presence: string | undefined): boolean =>
  presence === undefined ? agent.status?.lastLost === undefined : presence === presenceOf(agent)

/** True when the agent is connected and has reported since it connected. */
export const isSeen = (agent: Agent | undefined, presence: string | undefined): boolean =>
  agent !== undefined &&
  isTrue(agent.status?.conditions, 'Ready') &&
  isReportedSince(agent, presence)
