// The names of the keys that containers of a project got. They are kept when a stagelet releases its stack: the next
// stagelet may get its secrets one by one, and must not take keys away from running containers unasked.
import * as z from 'zod'

/** The keys of one Compose project. No values. */
export const deliveredKeys = z.object({
  /** Stagelet that delivered them. A key that it loses later was deleted on purpose. */
  uid: z.string(),
  /** Names of keys, by service and digest. */
  keys: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
  /** The user's own paths that file secrets filled, each with its key. */
  files: z.record(z.string(), z.string()).optional(),
  /** Stagelet that waits for lost keys, and its redeploy annotation when the wait began. */
  held: z.object({ uid: z.string(), redeploy: z.string() }).optional(),
})

export type DeliveredKeys = z.infer<typeof deliveredKeys>

export interface DeliveredFile {
  /** The keys that the containers of a Compose project got. */
  delivered(project: string): DeliveredKeys | undefined
  setDelivered(project: string, value: DeliveredKeys): Promise<void>
}
