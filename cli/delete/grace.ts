// How long deleted secrets can be restored, from the controller.
import { realClock, toTimestamp } from '../../src/kernel/clock.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { NotStagely } from '../errors.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'

const dayMs = 86_400_000

/** In ms; undefined when the project does not exist, or the server is no controller. */
export const readGrace = async (
  rest: RestClient,
  { namespace, project }: Loss,
): Promise<number | undefined> => {
  const path = `${projectPath(namespace, project)}/deleted-secrets`
  try {
    const { body } = await rest.call<{ kept_seconds?: number }>(path, { query: { limit: '1' } })
    return body.kept_seconds === undefined ? undefined : body.kept_seconds * 1000
  } catch (error) {
    const isUnknown = ['NotFound', 'Forbidden'].some((r) => isReason(error, r as 'NotFound'))
    if (isUnknown || error instanceof NotStagely) return undefined
    throw error
  }
}

/** The deleted part of a project: one or more secrets, or the whole project. */
export interface Loss {
  readonly namespace: string
  readonly project: string
  readonly whole: boolean
}

/** Secrets of a deleted project cannot be listed: it is restored with all of them. */
const remedy = ({ namespace, project, whole }: Loss): string => {
  const where = namespace === 'default' ? '' : ` -n ${namespace}`
  return `"stagely secrets restore ${whole ? '--all ' : ''}--project ${project}${where}"`
}

const lengthOf = (ms: number): string => {
  const days = ms / dayMs
  if (days >= 1) return `${Math.round(days * 10) / 10} ${days === 1 ? 'day' : 'days'}`
  return `${Math.round(ms / 1000)} s`
}

/** For the question. */
export const restorableFor = (graceMs: number | undefined, loss: Loss): string =>
  graceMs === undefined
    ? `Deleted secrets can be restored for the grace time of the controller: ${remedy(loss)}.`
    : `Deleted secrets can be restored for ${lengthOf(graceMs)}: ${remedy(loss)}.`

/** For the message afterwards. */
export const restorableUntil = (graceMs: number | undefined, loss: Loss): string =>
  graceMs === undefined
    ? restorableFor(graceMs, loss)
    : `Deleted secrets can be restored until ${toTimestamp(realClock.now() + graceMs)}: ${remedy(loss)}`
