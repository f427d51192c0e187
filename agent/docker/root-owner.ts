// Who the root of a container is on this machine.
import { stat } from 'node:fs/promises'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * `self` where the engine is its own, as a rootless one is: in its containers this user is root.
 * undefined: root is root.
 */
export const readRootOwner = async (
  socketPath: string,
  self: Owner,
): Promise<Owner | undefined> => {
  if (self.uid === 0) return undefined
  const socket = await stat(socketPath).catch(() => undefined)
  return socket?.uid === self.uid ? self : undefined
}
