// The keys to blame for what is in quarantine: pure.
import type { Quarantined } from '../../../src/resources/observation.ts'
import { findFailed } from '../../../src/rollout/quarantine.ts'
import type { StageletInput } from './gather.ts'
import { healthyRevisionOf } from './revision.ts'
import { blameOf } from './suspect-values.ts'

/** Adds the keys while the newest set is the one that failed. They stay then: later sets differ in more keys. */
export const withKeys = (
  input: StageletInput,
  quarantine: readonly Quarantined[],
): Quarantined[] => {
  const { stagelet, head, closedSets, authors } = input
  const { name } = stagelet.metadata
  const revision = healthyRevisionOf(input)
  const healthy = closedSets.find((set) => set.revision === revision)
  return quarantine.map((failed) => {
    if (failed.keys !== undefined || head === undefined || healthy === undefined) return failed
    if (findFailed(name, head.entries, [failed]) === undefined) return failed
    return { ...failed, keys: [...blameOf(name, failed, { head, healthy, authors }).keys] }
  })
}
