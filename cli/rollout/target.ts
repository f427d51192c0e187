// The target of a rollout command: a project, or one stagelet of it.
import { isReason } from '../../src/kernel/errors.ts'
import { specOf } from '../../src/kinds/typed.ts'
import type { KubeApi } from '../connect/api.ts'
import { CliError, usageError } from '../errors.ts'
import { parseTargets, servedKind } from '../output/kinds.ts'
import { getIfThere, getObject } from '../objects/objects.ts'
import type { Rollout } from '../../src/generated/rest-types.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'

export interface RolloutTarget {
  readonly kind: 'Project' | 'Stagelet'
  readonly name: string
  /** The project itself, or the stagelet's project. */
  readonly project: string
}

/** `shop` is a project; else `project/shop`, `stagelet/shop`, `stagelet shop`. */
const parseTarget = (words: readonly string[]): { kind: string; name: string } => {
  const [first = '', ...more] = words
  if (more.length === 0 && !first.includes('/')) return { kind: 'Project', name: first }
  const targets = parseTargets(words)
  const names = targets.flatMap(({ kind, names: own }) =>
    own.map((name) => ({ kind: kind.kind, name })),
  )
  if (names.length !== 1) throw usageError('name one project or stagelet, such as stagelet/shop')
  return names[0]!
}

/** Reads the target; usage error for another kind. */
export const findRolloutTarget = async (
  api: KubeApi,
  words: readonly string[],
): Promise<RolloutTarget> => {
  const { kind, name } = parseTarget(words)
  if (kind === 'Stagelet') {
    const stagelet = await getObject(api, servedKind('Stagelet'), api.namespace, name)
    return { kind, name, project: specOf('Stagelet', stagelet).projectRef.name }
  }
  if (kind !== 'Project') throw usageError(`a ${kind} has no rollout; name a project or a stagelet`)
  try {
    await getObject(api, servedKind('Project'), api.namespace, name)
  } catch (error) {
    if (!isReason(error, 'NotFound') || words.length > 1 || words[0]!.includes('/')) throw error
    const stagelet = await getIfThere(api, servedKind('Stagelet'), api.namespace, name)
    if (stagelet === undefined) throw error
    throw new CliError(`there is no project "${name}"; did you mean stagelet/${name}?`)
  }
  return { kind, name, project: name }
}

export const rolloutPath = (rest: RestClient, project: string): string =>
  `${projectPath(rest.namespace, project)}/rollout`

export const readRollout = async (
  rest: RestClient,
  project: string,
  signal?: AbortSignal,
): Promise<Rollout> => {
  const call = signal === undefined ? {} : { signal }
  return (await rest.call<Rollout>(rolloutPath(rest, project), call)).body
}
