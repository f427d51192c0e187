// Checks that stacks lie in the folders that the operator has named, and never in those of the agent itself: a stagelet
// or a secret could make Compose read the agent's files there.
import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'

export interface StackFault {
  readonly reason: string
  readonly message: string
}

export interface AllowedFolders {
  /** Stacks must lie in one of these or below. Empty: no stack is run. */
  readonly allowDirs: readonly string[]
  /** The folders of the agent's data and of its file secrets. */
  readonly ownDirs: readonly string[]
}

export const isInside = (path: string, folder: string): boolean => {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith('../')
}

/** The path with links followed, as far as it exists. `..` leads up from the target of a link, as in the kernel. */
export const realPath = async (path: string): Promise<string> => {
  const whole = isAbsolute(path) ? path : `${process.cwd()}/${path}`
  const missing: string[] = []
  for (let ancestor = whole; ; ancestor = dirname(ancestor)) {
    const real = await realpath(ancestor).catch(() => undefined)
    if (real !== undefined) return join(real, ...missing)
    if (ancestor === dirname(ancestor)) return resolve(whole)
    missing.unshift(basename(ancestor))
  }
}

const isBelowOneOf = async (real: string, folders: readonly string[]): Promise<boolean> =>
  (await Promise.all(folders.map(realPath))).some((folder) => isInside(real, folder))

const refused = (message: string): StackFault => ({ reason: 'DirectoryNotAllowed', message })

/** A fault where `path`, with links followed, is in a folder of the agent. */
export const checkNotOwn = async (
  path: string,
  { ownDirs }: AllowedFolders,
): Promise<StackFault | undefined> =>
  (await isBelowOneOf(await realPath(path), ownDirs))
    ? refused(
        'the stack names a folder or file of the agent’s own: no stack may lie there or use it',
      )
    : undefined

/** A fault where `path`, with links followed, is not in an allowed folder. */
export const checkAllowed = async (
  path: string,
  folders: AllowedFolders,
): Promise<StackFault | undefined> => {
  const own = await checkNotOwn(path, folders)
  if (own !== undefined) return own
  const { allowDirs } = folders
  if (await isBelowOneOf(await realPath(path), allowDirs)) return undefined
  return refused(
    allowDirs.length === 0
      ? 'this agent was started without --allow-dir, so it runs no stack: start it with --allow-dir DIR for each folder that stacks may lie in'
      : `${path} is in none of the folders that this agent may use (${allowDirs.join(', ')}): start the agent with --allow-dir for it, or move the stack`,
  )
}
