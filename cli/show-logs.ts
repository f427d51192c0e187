// Shows the logs of one stagelet, for the commands that do.
import { Option } from 'commander'
import { StagelyError } from '../src/kernel/errors.ts'
import type { LogLine } from '../src/protocol/logs.ts'
import { CliError, usageError } from './errors.ts'
import { readLogs, type LogsQuery } from './logs.ts'
import { collect, type Command, type CommonFlags } from './options.ts'
import { note, oneLine, out } from './print.ts'
import { openRest, stageletPath } from './connect/rest.ts'

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
  const rest = await openRest(flags)
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
