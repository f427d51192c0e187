// Finds the user of this machine that the root of a container is.
import { stat } from 'node:fs/promises'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * `self` where the engine runs as the agent's own user (rootless): the root of a container is this user. Undefined where
 * it is the machine's root.
 */
export const readRootOwner = async (
  socketPath: string,
  self: Owner,
): Promise<Owner | undefined> => {
  if (self.uid === 0) return undefined
  const socket = await stat(socketPath).catch(() => undefined)
  return socket?.uid === self.uid ? self : undefined
}
