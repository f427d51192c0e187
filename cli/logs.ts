// Reads logs through REST. When it follows them and the connection breaks, it reconnects: each
// container continues after its last shown line.
import type { IncomingMessage } from 'node:http'
import { realClock, type Clock } from '../src/kernel/clock.ts'
import { isReason, messageOf, StagelyError } from '../src/kernel/errors.ts'
import { logRecord, type LogLine } from '../src/protocol/logs.ts'
import { createLineReader } from '../src/protocol/ndjson.ts'
import { CliError } from './errors.ts'
import type { RestClient } from './connect/rest.ts'

export interface LogsQuery {
  readonly follow: boolean
  readonly service: string | undefined
  readonly since: string | undefined
  readonly tail: string | undefined
}

export interface LogReader {
  readonly onLine: (line: LogLine) => void
  readonly onDropped: (lines: number) => void
  /** Called when a connection was lost and will be opened again. */
  readonly onBroken: (why: string) => void
}

const maxRecordBytes = 1024 * 1024
const retryMs = 1_000
/** Consecutive attempts. An agent that lost its controller reconnects within moments. */
const tries = 10

/** Resolves at the end of the logs; rejects when it cannot continue. */
export const readLogs = async (
  { rest, path }: { rest: Pick<RestClient, 'stream'>; path: string },
  query: LogsQuery,
  reader: LogReader,
  clock: Pick<Clock, 'sleep'> = realClock,
): Promise<void> => {
  const shown = new Map<string, string>()
  let failures = 0
  for (;;) {
    try {
      const response = await rest.stream(path, {
        query: queryOf(query, oldestOfLast(shown)),
        headers: { connection: 'close' },
      })
      const why = await readAll(response, reader, shown, () => {
        failures = 0
      })
      if (why === undefined) return
      throw new CliError(why)
    } catch (error) {
      failures += 1
      const again = shown.size > 0 ? query.follow : isReason(error, 'ServiceUnavailable')
      const limit = shown.size > 0 ? tries : 3
      if (!again || isFinal(error) || failures >= limit) throw error
      if (shown.size > 0) reader.onBroken(messageOf(error))
      await clock.sleep(retryMs)
    }
  }
}

/** True for a refusal that a retry would only repeat. */
const isFinal = (error: unknown): boolean =>
  error instanceof StagelyError && error.reason !== 'ServiceUnavailable'

const oldestOfLast = (shown: ReadonlyMap<string, string>): string | undefined =>
  [...shown.values()].sort()[0]

const queryOf = (
  { follow, service, since, tail }: LogsQuery,
  from: string | undefined,
): Record<string, string | undefined> => ({
  follow: String(follow),
  service,
  since: from ?? since,
  tail: from === undefined ? tail : 'all',
})

/** undefined at the end of the logs, else why they ended early. */
const readAll = async (
  response: IncomingMessage,
  reader: LogReader,
  shown: Map<string, string>,
  onAlive: () => void,
): Promise<string | undefined> => {
  // Lines that an earlier connection has shown are not shown again.
  const before = new Map(shown)
  let end: { error: string | undefined } | undefined
  const read = createLineReader(maxRecordBytes, (text) => {
    onAlive()
    if (text === '') return
    const record = logRecord.parse(JSON.parse(text))
    if (record.type === 'dropped') reader.onDropped(record.lines)
    else if (record.type === 'end') end = { error: record.error }
    else if (record.time > (before.get(record.container) ?? '')) {
      shown.set(record.container, record.time)
      reader.onLine(record)
    }
  })
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) read(chunk)
  } catch (error) {
    return `the connection to the controller broke (${messageOf(error)})`
  }
  return end === undefined ? 'the controller ended the connection' : end.error
}
