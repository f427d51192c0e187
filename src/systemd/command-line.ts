// How a service starts the program that runs now.
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface OwnCommand {
  /** Absolute paths: Node, and the script. */
  readonly words: readonly [string, string]
  /** In a folder of a person: the service must see those. */
  readonly inHome: boolean
  /** First of the paths that other users than this one cannot read; undefined when they can. */
  readonly closedTo: string | undefined
}

/** The path, or the folder above it, that users without rights of their own cannot read. */
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
