// The command with which a service starts the program that runs now.
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface OwnCommand {
  /** Absolute paths: Node, and the script. */
  readonly words: readonly [string, string]
  /** True when the program lies in a person's home folder: then the service must be able to read it. */
  readonly inHome: boolean
  /** The first path that other users cannot read; undefined when they can read all. */
  readonly closedTo: string | undefined
}

/** The path, or the first folder above it, that other users cannot read; undefined: they can. */
export const firstClosed = async (path: string): Promise<string | undefined> => {
  if (((await stat(path)).mode & 0o004) === 0) return path
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return folder
  }
  return undefined
}

/** `node` and `script` are process.execPath and process.argv[1]. */
export const readOwnCommand = async (node: string, script: string): Promise<OwnCommand> => {
  const words = [await realpath(node), await realpath(script)] as const
  const inHome = words.some((word) => /^\/(home|root|run\/user)\//.test(word))
  const closed = await Promise.all(words.map(firstClosed))
  return { words, inHome, closedTo: closed.find((path) => path !== undefined) }
}
