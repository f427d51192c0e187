// Lists what a deletion deletes, one line for each object. Pure.
import type { KubeObject } from '../../src/resources/meta.ts'
import { projectNameOf } from '../../src/resources/project-ref.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { realClock, toTimestamp } from '../../src/kernel/clock.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { NotStagely } from '../errors.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'

const mostNamed = 10

/** `a, b and 3 more`. */
export const listed = (names: readonly string[]): string =>
  names.slice(0, mostNamed).join(', ') +
  (names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '')

/** Names of stagelets that are not being deleted: the others block nothing. */
const living = (stagelets: readonly KubeObject[], is: (s: KubeObject) => boolean): string[] =>
  stagelets
    .filter((s) => s.metadata.deletionTimestamp === undefined && is(s))
    .map(({ metadata }) => metadata.name)

export const stageletsOfAgent = (agent: string, stagelets: readonly KubeObject[]): string[] =>
  living(stagelets, (s) => specOf('Stagelet', s).agentRef.name === agent)

export const usersOf = (project: string, stagelets: readonly KubeObject[]): string[] =>
  living(stagelets, (s) => projectNameOf(s) === project)

export const lossOfSecret = (secret: KubeObject): string => {
  const { key, scope } = specOf('StagelySecret', secret)
  const { services = [] } = statusOf('StagelySecret', secret)
  const visibility =
    services.length === 0
      ? 'no service sees it'
      : `seen by ${listed(services)}, which get new containers`
  return `secret ${secret.metadata.name}: ${key} (${scope}), ${visibility}`
}

export const lossOfStagelet = (stagelet: KubeObject, force: boolean): string => {
  const { agentRef, deletionPolicy, deleteVolumes } = specOf('Stagelet', stagelet)
  const name = `stagelet ${stagelet.metadata.name}`
  const where = `on agent ${agentRef.name}`
  const finish = force ? '; its agent is not awaited, so whatever runs there runs on' : ''
  if (deletionPolicy !== 'Down') return `${name}: its containers ${where} run on${finish}`
  const volumes =
    deleteVolumes === true ? ', with its volumes: their data is lost, and nothing restores it' : ''
  return `${name}: its stack ${where} is taken down${volumes}${finish}`
}

export const lossOfAgent = (name: string, stagelets: readonly string[]): string =>
  stagelets.length === 0
    ? `agent ${name}: no stagelet names it`
    : `agent ${name}: nothing looks after ${listed(stagelets)} any more; their containers run on`

export const lossOfProject = (name: string, secrets: number): string =>
  `project ${name}, with ${secrets} ${secrets === 1 ? 'secret' : 'secrets'}`

export const lossOfNamespace = (name: string, counts: Readonly<Record<string, number>>): string => {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}${count === 1 ? '' : 's'}`)
  const content = parts.length === 0 ? 'nothing in it' : parts.join(', ')
  return `namespace ${name} with ${content}: erased for good, and no secret of it can be restored`
}

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
