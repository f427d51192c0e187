// Logs of a stagelet, from its agent to a reader. An order on the stream requests them; the agent
// answers with batches by POST. Short requests pass proxies that buffer whole bodies. The agent sends
// the next batch after the answer to the last one.
import * as z from 'zod'
import { count, instant, limits, name } from '../resources/limits.ts'
import { faultText, machineText, opaque, output, toldCount } from '../resources/told.ts'

/** Name of the session, with the replica that has the reader. */
const session = opaque(limits.name)

/** Asks the agent to send the logs of a stagelet in this session, until the session ends. */
export const logsOrder = z.object({
  type: z.literal('logs'),
  session,
  stageletUid: z.string().max(64),
  /** Absent: every service. */
  services: z.array(name).max(limits.services).optional(),
  /** Milliseconds since the epoch: no older lines. */
  since: z.number().min(-8_640_000_000_000_000).optional(),
  /** Number of last lines of each existing container; absent: all lines. */
  tail: count.optional(),
  /** Continue with new lines, also those of containers that start later. */
  follow: z.boolean(),
})

const logLine = z.object({
  type: z.literal('line'),
  service: machineText,
  /** Name of the container. */
  container: machineText,
  stream: z.enum(['stdout', 'stderr']),
  /** Time at which the engine received the line: RFC 3339 with nanoseconds. */
  time: instant,
  /** Masked; without its newline. A line of more than 32 KiB is split. */
  text: output(limits.logLine),
})

export const logRecord = z.discriminatedUnion('type', [
  logLine,
  /** Number of lines that were left out here, because the reader was slower than the containers. */
  z.object({ type: z.literal('dropped'), lines: toldCount }),
  /** The last record. `error` says why the logs end early; absent at their real end. */
  z.object({ type: z.literal('end'), error: faultText.optional() }),
])

/** A number that counts messages from 0. No program runs long enough to exceed it. */
export const serial = z.int().min(0).max(2_147_483_647)

/** POST logs: the next records of a session. An empty batch only shows that the agent is still there. */
export const logBatch = z.object({
  session,
  /** Rises from 0. A repeated number is the same batch, sent twice. */
  seq: serial,
  records: z.array(logRecord).max(limits.logRecords),
})

/** `full`: nothing was taken, send the batch again; `ended`: nobody reads any more. */
export const logBatchResponse = z.object({ state: z.enum(['taken', 'full', 'ended']) })

/** An agent sends a batch at least this often. */
export const logKeepAliveMs = 15_000

/** After this time without a batch the reader is told that the agent is silent; until then the agent tries to send one. */
export const logSilenceMs = 3 * logKeepAliveMs

export type LogsOrder = z.infer<typeof logsOrder>
export type LogLine = z.infer<typeof logLine>
export type LogRecord = z.infer<typeof logRecord>
export type LogBatch = z.infer<typeof logBatch>
export type LogBatchState = z.infer<typeof logBatchResponse>['state']
