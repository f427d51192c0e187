// Reads logs through REST. When it follows them and the connection breaks, it reconnects: each
// container continues after its last shown line.
import { openClient } from './connect/client.ts'
import type { IncomingMessage } from 'node:http'
import { realClock, type Clock } from '../src/kernel/clock.ts'
import { StagelyError, isReason, messageOf } from '../src/kernel/errors.ts'
import { logRecord, type LogLine } from '../src/protocol/logs.ts'
import { createLineReader } from '../src/protocol/ndjson.ts'
import { CliError, usageError } from './errors.ts'
import { stageletPath, type RestClient } from './connect/rest.ts'
import { Option } from 'commander'
import { collect, type Command, type CommonFlags } from './options.ts'
import { note, oneLine, out } from './print.ts'

interface LogsQuery {
  readonly follow: boolean
  readonly service: string | undefined
  readonly since: string | undefined
  readonly tail: string | undefined
}

interface LogReader {
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

export interface LogsFlags extends CommonFlags {
  readonly follow?: boolean
  readonly service?: readonly string[]
  readonly since?: string
  readonly tail?: string
  readonly timestamps?: boolean
}

export const logsOptions = (command: Command): Command =>
  command
    .option('-f, --follow', 'keep printing new lines, also of new containers')
    .option('--service <name>', 'only this service; may be given again', collect)
    .option('--since <time>', 'only lines since then: 10m, 2h, 1d, or 2026-01-31T12:00:00Z')
    .option(
      '--tail <lines>',
      'last lines of each container, or "all" (default: 1000; with --since all)',
    )
    .option('-t, --timestamps', 'show the time of each line')
    .addOption(new Option('-o, --output <format>', 'json: one object for each line'))

export const showLogs = async (stagelet: string, flags: LogsFlags): Promise<void> => {
  const { output } = flags
  if (output !== undefined && output !== 'json')
    throw usageError(`-o ${output} is not known here; use json`)
  const { rest } = await openClient(flags)
  const query: LogsQuery = {
    follow: flags.follow === true,
    service: flags.service?.join(','),
    since: flags.since,
    tail: flags.tail,
  }
  const path = `${stageletPath(rest.namespace, stagelet)}/logs`
  const show = output === 'json' ? showJson : showText(flags.timestamps === true)
  try {
    await readLogs({ rest, path }, query, {
      onLine: show,
      onDropped: (lines) => note(`… ${lines} lines dropped: they came faster than they were read`),
      onBroken: (why) => note(`… ${why}; following again`),
    })
  } catch (error) {
    if (error instanceof StagelyError && error.reason === 'Invalid')
      throw new CliError(error.message, 2)
    throw error
  }
}

const showJson = ({ service, container, stream, time, text }: LogLine): void => {
  out(JSON.stringify({ time, service, container, stream, text }))
}

const showText =
  (withTimes: boolean) =>
  ({ container, stream, time, text }: LogLine): void => {
    const line = oneLine(`${container}  | ${withTimes ? `${time} ` : ''}${text}`)
    if (stream === 'stderr') note(line)
    else out(line)
  }
