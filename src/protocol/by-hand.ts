// `stagely compose`: a person on the machine asks the agent to run Compose, by HTTP on a unix socket in
// the agent's data folder. The answer is NDJSON while Compose runs; a refusal is one JSON object.
import { join } from 'node:path'
import * as z from 'zod'
import { limits } from '../resources/limits.ts'

/** Path of the socket of the agent with this data folder. */
export const manualSocket = (dataDir: string): string => join(dataDir, 'compose.sock')

export const manualPath = '/compose'

/** Body of the POST. */
export const manualRequest = z.object({
  /** `namespace/name`; absent: the stagelet whose folder is the person's working directory. */
  stagelet: z
    .string()
    .max(2 * limits.name)
    .optional(),
  /** The person's working directory. */
  directory: z.string().max(limits.path),
  /** The words after `docker compose`. */
  args: z.array(z.string().max(131_072)).max(1000),
  /**
   * The person's name, as the command reports it. Not proven: the kernel only checks access to the
   * socket.
   */
  user: z.string().max(limits.name),
})

export const manualLine = z.discriminatedUnion('type', [
  /** Masked output; base64, as a chunk may end in the middle of a character. */
  z.object({ type: z.enum(['stdout', 'stderr']), data: z.string() }),
  /** A message of the agent itself. */
  z.object({ type: z.literal('note'), text: z.string() }),
  /** The last line: Compose's exit code. */
  z.object({ type: z.literal('exit'), code: z.int() }),
])

export type ManualRequest = z.infer<typeof manualRequest>
export type ManualLine = z.infer<typeof manualLine>
