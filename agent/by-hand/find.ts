// Finds the stack that a person means: the one that the command names, else the one whose folder the person is in.
import { isInside } from '../compose/allowed-folders.ts'
import { realpath } from 'node:fs/promises'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { ManualRequest } from '../../src/protocol/by-hand.ts'
import type { ManualOrder } from './run.ts'

export interface ManualTarget {
  /** `namespace/name` of the stagelet. */
  readonly name: string
  readonly directory: string
  readonly run: (order: ManualOrder) => Promise<number>
}

const listed = (targets: readonly ManualTarget[]): string =>
  targets.length === 0
    ? 'this agent runs no stagelet now'
    : `this agent runs:\n${targets
        .map(({ name, directory }) => `  ${name}  ${directory}`)
        .sort()
        .join('\n')}`

const linksFollowed = (path: string): Promise<string> => realpath(path).catch(() => path)

/** Stacks in the nearest folder up from `directory`, as Compose itself looks for its file. */
const nearest = async (
  targets: readonly ManualTarget[],
  directory: string,
): Promise<{ target: ManualTarget; folder: string }[]> => {
  const here = await linksFollowed(directory)
  const folders = await Promise.all(
    targets.map(async (target) => ({ target, folder: await linksFollowed(target.directory) })),
  )
  const around = folders.filter(({ folder }) => isInside(here, folder))
  const longest = Math.max(...around.map(({ folder }) => folder.length))
  return around.filter(({ folder }) => folder.length === longest)
}

/** NotFound or Conflict, with the stacks that there are. */
export const findManualTarget = async (
  targets: readonly ManualTarget[],
  { stagelet, directory }: Pick<ManualRequest, 'stagelet' | 'directory'>,
): Promise<ManualTarget> => {
  const found =
    stagelet === undefined
      ? (await nearest(targets, directory)).map(({ target }) => target)
      : targets.filter(({ name }) => name === stagelet || name.split('/')[1] === stagelet)
  const [only, ...others] = found
  const what = stagelet === undefined ? `in ${directory}` : `called ${stagelet}`
  if (only === undefined)
    throw new StagelyError('NotFound', `no stagelet of this agent is ${what}; ${listed(targets)}`)
  if (others.length > 0) {
    const message = `more than one stagelet is ${what}: choose one with --stagelet NAMESPACE/NAME; ${listed(found)}`
    throw new StagelyError('Conflict', message)
  }
  return only
}
