// How long what is deleted can be had back, as the controller says it.
import { realClock, toTimestamp } from '../../src/kernel/clock.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { NotStagely } from '../errors.ts'
import { projectPath, type Rest } from '../rest.ts'

const dayMs = 86_400_000

/** In ms; undefined where the project is not there, or the server is no controller. */
export const readGrace = async (rest: Rest, project: string): Promise<number | undefined> => {
  const path = `${projectPath(rest.namespace, project)}/deleted-secrets`
  try {
    const { body } = await rest.call<{ kept_seconds?: number }>(path, { query: { limit: '1' } })
    return body.kept_seconds === undefined ? undefined : body.kept_seconds * 1000
  } catch (error) {
    const isUnknown = ['NotFound', 'Forbidden'].some((r) => isReason(error, r as 'NotFound'))
    if (isUnknown || error instanceof NotStagely) return undefined
    throw error
  }
}

const remedy = (project: string): string => `"stagely secrets restore --project ${project}"`

const lengthOf = (ms: number): string => {
  const days = ms / dayMs
  if (days >= 1) return `${Math.round(days * 10) / 10} ${days === 1 ? 'day' : 'days'}`
  return `${Math.round(ms / 1000)} s`
}

/** For the question. */
export const restorableFor = (graceMs: number | undefined, project: string): string =>
  graceMs === undefined
    ? `Deleted secrets can be restored for the grace time of the controller: ${remedy(project)}.`
    : `What is a secret can be restored for ${lengthOf(graceMs)}: ${remedy(project)}.`

/** For the answer. */
export const restorableUntil = (graceMs: number | undefined, project: string): string =>
  graceMs === undefined
    ? restorableFor(graceMs, project)
    : `What was a secret can be restored until ${toTimestamp(realClock.now() + graceMs)}: ${remedy(project)}`
