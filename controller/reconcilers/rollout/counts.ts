// Counts the stagelets of a project by their standing in the rollout of the newest revision: pure.
import type { ProjectRollout } from '../../../src/kinds/project/schema.ts'

/**
 * The standing of a stagelet in the rollout of the newest revision. `healthy`: runs it and is healthy. `failed`: its
 * rollout failed. `busy`: admitted, and not healthy yet. `late`: busy for longer than its deadline. `waiting`: not
 * admitted yet. `interrupted`: not admitted yet, while the rollout of an older revision is not finished there. `held`:
 * cannot be admitted (paused, drained, stopped or away). `unknown`: was healthy when it was last seen.
 */
export type Standing =
  'healthy' | 'failed' | 'late' | 'busy' | 'interrupted' | 'waiting' | 'held' | 'unknown'

export type Standings = ReadonlyMap<string, Standing>

/** Names of the stagelets with one of these standings. */
export const namesAt = (standings: Standings, ...wanted: readonly Standing[]): string[] =>
  [...standings].flatMap(([name, standing]) => (wanted.includes(standing) ? [name] : []))

export const countStandings = (
  revision: number,
  standings: Standings,
): Omit<ProjectRollout, 'state'> => {
  const count = (...wanted: readonly Standing[]): number => namesAt(standings, ...wanted).length
  const unknown = count('unknown')
  const failed = namesAt(standings, 'failed', 'late')
  return {
    revision,
    healthy: count('healthy'),
    progressing: count('busy'),
    waiting: count('interrupted', 'waiting'),
    held: count('held'),
    ...(unknown > 0 && { unknown }),
    ...(failed.length > 0 && { failed }),
  }
}
