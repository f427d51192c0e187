// The last healthy revision of a stagelet, where its agent of now has seen it. Another machine gets no set that was closed
// before it had the stagelet. Pure.
import type { StageletSpec, StageletStatus } from '../kinds/stagelet/schema.ts'

/** What an earlier build has stored names no agent. */
export const healthyHere = ({
  spec,
  status = {},
}: {
  readonly spec: Pick<StageletSpec, 'agentRef'>
  readonly status?: StageletStatus | undefined
}): number | undefined => {
  const { name } = spec.agentRef
  return (status.healthyAgent ?? name) === name ? status.healthyRevision : undefined
}
