// `stagely compose`: a person on the machine asks the agent, by HTTP on a unix socket in the agent's
// data folder, to run Compose. The answer is NDJSON while Compose runs; a refusal is one JSON object.
import { join } from 'node:path'
import { z } from 'zod'

/** Of the agent in this data folder. */
export const handSocket = (dataDir: string): string => join(dataDir, 'compose.sock')

export const handPath = '/compose'

/** POST. */
export const handRequest = z.object({
  /** `namespace/name`; absent: the stagelet whose folder the person is in. */
  stagelet: z.string().optional(),
  /** Where the person is. */
  directory: z.string(),
  /** What follows `docker compose`. */
  args: z.array(z.string()).max(1000),
  /** Who the person is, as the command says: the kernel only knows that it was let in. */
  user: z.string(),
})

export const handLine = z.discriminatedUnion('type', [
  /** Masked; base64, as a piece may end in the middle of a character. */
  z.object({ type: z.enum(['stdout', 'stderr']), data: z.string() }),
  /** What the agent has to say itself. */
  z.object({ type: z.literal('note'), text: z.string() }),
  /** The last line, by Compose's own exit code. */
  z.object({ type: z.literal('exit'), code: z.int() }),
])

export type HandRequest = z.infer<typeof handRequest>
export type HandLine = z.infer<typeof handLine>
