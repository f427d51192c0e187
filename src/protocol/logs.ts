// Logs of a stagelet, from its agent to whoever reads them: asked for by an order on the stream,
// answered in batches by POST. Short requests pass proxies that collect bodies, and the answer to
// each one paces the next.
import { z } from 'zod'

/** Asks the agent to send the logs of a stagelet under this session, until it is told to end. */
export const logsOrder = z.object({
  type: z.literal('logs'),
  session: z.string(),
  stageletUid: z.string(),
  /** Absent: of every service. */
  services: z.array(z.string()).optional(),
  /** Milliseconds since the epoch: nothing older. */
  since: z.number().optional(),
  /** So many last lines of each container that is there; absent: all. */
  tail: z.int().optional(),
  /** Go on with what is written from now on, also by containers that come later. */
  follow: z.boolean(),
})

const logLine = z.object({
  type: z.literal('line'),
  service: z.string(),
  /** Name of the container. */
  container: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  /** When the engine got it: RFC 3339 with nanoseconds. */
  time: z.string(),
  /** Masked; without its newline. A line over 32 KiB comes in pieces. */
  text: z.string(),
})

export const logRecord = z.discriminatedUnion('type', [
  logLine,
  /** So many lines were left out here, because the reader was slower than the containers. */
  z.object({ type: z.literal('dropped'), lines: z.int() }),
  /** The last record. `error` says why there is no more, where that is not the end of the logs. */
  z.object({ type: z.literal('end'), error: z.string().optional() }),
])

/** Counts what a program sends, from 0. No program lives long enough for more. */
export const serial = z.int().min(0).max(2_147_483_647)

/** POST logs: what comes next in a session. An empty batch says that the agent is still there. */
export const logBatch = z.object({
  session: z.string(),
  /** From 0; the same number again is the same batch, sent twice. */
  seq: serial,
  records: z.array(logRecord),
})

/** `full`: nothing was taken, send it again; `ended`: nobody reads any more. */
export const logBatchResponse = z.object({ state: z.enum(['taken', 'full', 'ended']) })

/** An agent sends a batch at least so often. */
export const logKeepAliveMs = 15_000

export type LogsOrder = z.infer<typeof logsOrder>
export type LogLine = z.infer<typeof logLine>
export type LogRecord = z.infer<typeof logRecord>
export type LogBatch = z.infer<typeof logBatch>
export type LogBatchState = z.infer<typeof logBatchResponse>['state']
