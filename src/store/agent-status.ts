// What the store itself says in the status of an Agent: since when somebody has had it paused or drained.
import { withStatusOwner } from '../managed-fields/status.ts'
import type { AgentSpec, AgentStatus } from '../resources/agent.ts'
import type { KubeObject } from '../resources/meta.ts'
import { sameJson } from './canonical.ts'

/** `now` where the flag is new; what was said before while it stays. */
const sinceOf = (
  is: boolean | undefined,
  was: boolean | undefined,
  { known, now }: { readonly known: string | undefined; readonly now: string },
): string | undefined => (is === true ? (was === true ? known : now) : undefined)

/** The object with the status that follows from its new spec. */
export const withAgentTimes = (
  object: KubeObject,
  before: KubeObject | undefined,
  now: string,
): KubeObject => {
  const { spec, status = {} } = object as KubeObject<AgentSpec, AgentStatus>
  const was = before?.spec as AgentSpec | undefined
  const { pausedSince, drainedSince, ...rest } = status
  const times = {
    pausedSince: sinceOf(spec?.paused, was?.paused, { known: pausedSince, now }),
    drainedSince: sinceOf(spec?.drained, was?.drained, { known: drainedSince, now }),
  }
  const told = Object.entries(times).filter(([, since]) => since !== undefined)
  const next = { ...rest, ...Object.fromEntries(told) }
  if (sameJson(next, status)) return object
  return withStatusOwner({ ...object, status: next }, before, now)
}
