// Logs of a stagelet, from its agent to a reader. An order on the stream requests them; the agent
// answers with batches by POST. Short requests pass proxies that buffer whole bodies. The agent sends
// the next batch after the answer to the last one.
import * as z from 'zod'

/** Asks the agent to send the logs of a stagelet in this session, until the session ends. */
export const logsOrder = z.object({
  type: z.literal('logs'),
  session: z.string(),
  stageletUid: z.string(),
  /** Absent: every service. */
  services: z.array(z.string()).optional(),
  /** Milliseconds since the epoch: no older lines. */
  since: z.number().optional(),
  /** Number of last lines of each existing container; absent: all lines. */
  tail: z.int().optional(),
  /** Continue with new lines, also those of containers that start later. */
  follow: z.boolean(),
})

const logLine = z.object({
  type: z.literal('line'),
  service: z.string(),
  /** Name of the container. */
  container: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  /** Time at which the engine received the line: RFC 3339 with nanoseconds. */
  time: z.string(),
  /** Masked; without its newline. A line of more than 32 KiB is split. */
  text: z.string(),
})

export const logRecord = z.discriminatedUnion('type', [
  logLine,
  /** Number of lines that were left out here, because the reader was slower than the containers. */
  z.object({ type: z.literal('dropped'), lines: z.int() }),
  /** The last record. `error` says why the logs end early; absent at their real end. */
  z.object({ type: z.literal('end'), error: z.string().optional() }),
])

/** A number that counts messages from 0. No program runs long enough to exceed it. */
export const serial = z.int().min(0).max(2_147_483_647)

/** POST logs: the next records of a session. An empty batch only shows that the agent is still there. */
export const logBatch = z.object({
  session: z.string(),
  /** Rises from 0. A repeated number is the same batch, sent twice. */
  seq: serial,
  records: z.array(logRecord),
})

/** `full`: nothing was taken, send the batch again; `ended`: nobody reads any more. */
export const logBatchResponse = z.object({ state: z.enum(['taken', 'full', 'ended']) })

/** An agent sends a batch at least this often. */
export const logKeepAliveMs = 15_000

export type LogsOrder = z.infer<typeof logsOrder>
export type LogLine = z.infer<typeof logLine>
export type LogRecord = z.infer<typeof logRecord>
export type LogBatch = z.infer<typeof logBatch>
export type LogBatchState = z.infer<typeof logBatchResponse>['state']
