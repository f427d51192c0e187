// What the link does about keys between two streams.
import { messageOf } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { ControllerClient } from './controller-client.ts'
import type { FileStore } from './file-store.ts'
import type { KeyRotation } from './key-rotation.ts'

export interface LinkKeys {
  /** Registers new keys, or finishes what was begun; false when it is to be tried again later. */
  rotate(request?: string): Promise<boolean>
  /** Something was begun and not finished. */
  isPending(): boolean
  /** True when the controller, which did not know the key, knows it now. */
  recover(): Promise<boolean>
}

/** Seals to the key of now what an earlier run left sealed to the former one. Its functions never reject. */
export const createLinkKeys = async (
  rotation: KeyRotation,
  { client, files, log }: { client: ControllerClient; files: FileStore; log: Logger },
): Promise<LinkKeys> => {
  const reseal = async (): Promise<void> => {
    if (rotation.sealingKeys().length === 1) return
    // What a full disk did not take needs the former key for longer; the next start tries again.
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
    recover: () => tried('the controller takes no key of before', () => rotation.recover(client)),
  }
}
