// The keys that projects may name in place of the master key: how many projects name each of them, and how many texts they
// wrap.
import { isReason, type StagelyError } from '../../kernel/errors.ts'
import type { Health, KeyRing } from '../../secrets/key-ring.ts'
import type { Queryable } from '../drivers/sql.ts'
import { ringOf } from '../secrets/project-ring.ts'
import type { WrapTargets } from './wraps.ts'

export interface ProjectKeyStatus {
  readonly name: string
  readonly provider: string
  readonly keyId: string
  /** The teams that may name it; undefined: all. */
  readonly teams: readonly string[] | undefined
  /** How many projects name it. */
  readonly projects: number
  readonly health: Health
}

/** How many projects name each key. */
const countProjects = async (q: Queryable): Promise<Map<string, number>> => {
  const rows = await q.query<{ name: string; n: number }>(
    'SELECT key_provider AS name, count(*) AS n FROM projects WHERE key_provider IS NOT NULL GROUP BY 1 ORDER BY 1',
  )
  return new Map(rows.map(({ name, n }) => [name, n]))
}

export const projectKeyStatus = async (
  q: Queryable,
  keyRing: KeyRing,
): Promise<ProjectKeyStatus[]> => {
  const counts = await countProjects(q)
  return Promise.all(
    keyRing.projectKeys.map(async ({ name, provider, teams }) => ({
      name,
      provider: provider.name,
      keyId: provider.keyId,
      teams,
      projects: counts.get(name) ?? 0,
      health: await ringOf(keyRing, name, 'a project').health(),
    })),
  )
}

/**
 * Prefixes of the texts that each key in use wraps now. `silent` is the error of the first key that does not answer.
 * Rejects as the master key does.
 */
export const wrapTargets = async (
  q: Queryable,
  keyRing: KeyRing,
): Promise<{ targets: WrapTargets; silent: StagelyError | undefined }> => {
  const targets = new Map([['', await keyRing.currentPrefix()]])
  let silent: StagelyError | undefined
  for (const name of (await countProjects(q)).keys()) {
    try {
      targets.set(name, await ringOf(keyRing, name, 'a project').currentPrefix())
    } catch (error) {
      if (!isReason(error, 'ServiceUnavailable')) throw error
      silent ??= error
    }
  }
  return { targets, silent }
}
