// The condition Degraded: whether a service of the stagelet fails, and which. Pure.
import type {
  ObservationSpec,
  ObservedService,
  Quarantined,
} from '../../../src/kinds/observation/schema.ts'
import type { DriftVerdict } from './drift.ts'
import { awaitsDeploy } from './not-started.ts'
import type { SeenInput } from './facts.ts'
import { rolledBack } from './in-sync.ts'
import { lastKnown } from './unseen.ts'
import { no, yes, type Verdict } from '../verdict.ts'

const mostSaid = 8192

/** The failure of one service while the agent goes on with the others, or tries the failed one again. */
const failedUnderWay = ({ phase, rollout }: ObservationSpec): string | undefined => {
  const isAtWork = phase === 'Applying' || phase === 'Gating'
  const isOpen = rollout?.result === 'Progressing' || rollout?.result === 'Failed'
  return isAtWork && isOpen ? rollout.message : undefined
}

export const degraded = (
  input: SeenInput,
  failed: Quarantined | undefined,
  drift: DriftVerdict,
): Verdict => {
  const { observation, stagelet } = input
  const before = lastKnown(stagelet.status, 'Degraded')
  const { phase, rollout } = observation
  const isRetry = rollout?.revision === stagelet.status?.lastRollout?.revision
  if (rollout?.result === 'Progressing' && isRetry && before?.reason === 'RolloutFailed') {
    return yes(before.reason, rollout.message ?? before.message) // a retry heals nothing before it has passed
  }
  if (observation.fault !== undefined)
    return yes(observation.fault.reason, observation.fault.message)
  if (failed !== undefined) return yes('RolledBack', rolledBack(input, failed))
  const underWay = failedUnderWay(observation)
  if (underWay !== undefined) return yes('RolloutFailed', underWay)
  if (phase === 'Failed')
    return yes('RolloutFailed', rollout?.message ?? `revision ${observation.revision} failed`)
  if (drift.reason === 'Flapping') return yes('Flapping', drift.message)
  const isSick = (s: ObservedService): boolean =>
    s.health === 'unhealthy' || ['restarting', 'missing', 'created', 'paused'].includes(s.state)
  const pending = new Set(observation.pendingEdits)
  const sick = observation.services.filter((s) => isSick(s) && !awaitsDeploy(s, pending))
  if (sick.length > 0 && phase === 'Settled') {
    const state = (s: ObservedService): string => (s.health === 'unhealthy' ? s.health : s.state)
    const list = sick.map((s) => s.detail ?? `${s.name} is ${state(s)}`)
    return yes('ServiceUnhealthy', list.join('\n').slice(0, mostSaid))
  }
  return no('AsExpected', 'no service is failing')
}
