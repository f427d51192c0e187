// Rotation and recovery of keys, between two streams.
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { ControllerClient } from './controller-client.ts'
import type { FileStore } from '../files/file-store.ts'
import type { AgentKeyRotation } from './key-rotation.ts'

export interface LinkKeys {
  /** Registers new keys, or finishes a rotation; false when it must be tried again later. */
  rotate(request?: string): Promise<boolean>
  /** True while a rotation is not finished. */
  isPending(): boolean
  /** For a controller that does not know the key; true when it knows it now. */
  recover(): Promise<boolean>
}

/** First seals the file cache to the present key, where it is sealed to a former one. The functions never reject. */
export const createLinkKeys = async (
  rotation: AgentKeyRotation,
  { client, files, log }: { client: ControllerClient; files: FileStore; log: Logger },
): Promise<LinkKeys> => {
  const reseal = async (): Promise<void> => {
    if (rotation.sealingKeys().length === 1) return
    // On a full disk the cache stays sealed to the former key; the next start tries again.
    if (await files.reseal()) await rotation.resealed()
  }
  const tried = async (what: string, work: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await work()
    } catch (error) {
      log.warn({ reason: messageOf(error) }, what)
      return false
    }
  }
  await reseal()
  return {
    isPending: rotation.isPending,
    rotate: (request) =>
      tried('new keys are not registered yet', async () => {
        await rotation.rotate(client, request)
        await reseal()
        return true
      }),
    recover: () => tried('the controller takes no earlier key', () => rotation.recover(client)),
  }
}
