// Flags that several commands share, with the same meaning in each.
import { Command as Parsed, InvalidArgumentError, Option } from 'commander'
import { isLifetime } from '../src/resources/lifetime.ts'
import type { ConnectFlags } from './connect/connect.ts'
import { realClock, toFineTimestamp } from '../src/kernel/clock.ts'

const outputs = ['json', 'yaml', 'name', 'wide'] as const

export type Output = (typeof outputs)[number]

export interface CommonFlags extends ConnectFlags {
  readonly allNamespaces?: boolean
  readonly selector?: string
  readonly output?: Output
  readonly filename?: readonly string[]
}

/** A command with what many of them have. */
export class Command extends Parsed {
  /** It deletes something: without --yes, confirm() asks. */
  isAsking = false

  asking(): this {
    this.isAsking = true
    return this.option('-y, --yes', 'do not ask')
  }

  having(...commands: readonly (() => Command)[]): this {
    for (const make of commands) this.addCommand(make())
    return this
  }

  choice(flags: string, text: string, choices: readonly string[]): this {
    return this.addOption(new Option(flags, text).choices(choices))
  }

  /** For a command that does not wait by default. `until`: `its services run the value`. */
  waiting(until: string): this {
    return this.addOption(waitOption(`wait until ${until}`)).addOption(timeoutOption())
  }

  waitingByDefault(until: string): this {
    return this.addOption(waitOption(`wait until ${until}; the default`).default(true))
      .option('--no-wait', 'return at once, as --wait=false')
      .addOption(timeoutOption())
  }
}

/**
 * A group of commands. It has no flags of its own, which would take precedence over its commands'
 * flags.
 */
export const newGroup = (name: string, summary: string, examples: readonly string[]): Command =>
  new Command(name)
    .description(summary)
    .showHelpAfterError('(--help shows flags and examples)')
    .addHelpText('after', `\nExamples:\n${examples.map((e) => `  ${e}`).join('\n')}`)

/** Collects the values of a repeatable option. */
export const collect = (value: string, previous: readonly string[] | undefined): string[] => [
  ...(previous ?? []),
  value,
]

const jsonPathPrefix = 'jsonpath='

/** Of a command that prints objects. */
export interface ObjectFlags extends Omit<CommonFlags, 'output'> {
  readonly output?: Output | `${typeof jsonPathPrefix}${string}`
}

/** The template of `-o jsonpath=TEMPLATE`; undefined for another format. */
export const jsonPathOf = (output: string | undefined): string | undefined =>
  output?.startsWith(jsonPathPrefix) === true ? output.slice(jsonPathPrefix.length) : undefined

const parseObjectOutput = (text: string): string => {
  if ((outputs as readonly string[]).includes(text) || jsonPathOf(text) !== undefined) return text
  throw new InvalidArgumentError(`use one of ${outputs.join(', ')}, or jsonpath=TEMPLATE.`)
}

/** Flags that mean the same in each command, by their letter. */
const sharedOptions = {
  '-o': () => new Option('-o, --output <format>', 'how to print').choices(outputs),
  '-o=objects': () =>
    new Option(
      '-o, --output <format>',
      `how to print: ${outputs.join(', ')}, or jsonpath=TEMPLATE`,
    ).argParser(parseObjectOutput),
  '-o=data': () => new Option('-o, --output <format>', 'how to print').choices(['json', 'yaml']),
  '-l': () =>
    new Option(
      '-l, --selector <labels>',
      'only objects with these labels, such as app=shop,tier!=db',
    ),
  '-A': () => new Option('-A, --all-namespaces', 'in every namespace'),
  '-f': () =>
    new Option(
      '-f, --filename <path>',
      'file, folder, or - for stdin; may be given again',
    ).argParser(collect),
  '-m': () => new Option('-m, --note <text>', 'why; shown in the history of the project'),
} as const

type SharedOption = keyof typeof sharedOptions

/**
 * A command with its examples below the help, and without the flags of a connection. `usage`: the name, and
 * the shared flags that the command has: `list -o -A`. `-o=data`: without name and wide.
 */
export const newLocalCommand = (
  usage: string,
  summary: string,
  examples: readonly string[],
): Command => {
  const [name = '', ...letters] = usage.split(' ')
  const made = newGroup(name, summary, examples)
  for (const letter of letters) made.addOption(sharedOptions[letter as SharedOption]())
  return made
}

/** As `newLocalCommand`, for a command that asks a controller. */
export const newCommand = (...described: Parameters<typeof newLocalCommand>): Command =>
  newLocalCommand(...described)
    .option('-n, --namespace <name>', 'namespace; else STAGELY_NAMESPACE, or that of the login')
    .option('--context <name>', 'the stored login to use; else STAGELY_CONTEXT, or the current one')
    .option('--kubeconfig <file>', 'take server and credentials from this kubeconfig')

/** Headers of a write that say why. */
export const noteHeaders = ({ note }: { readonly note?: string }): Record<string, string> =>
  note === undefined ? {} : { 'Stagely-Note': encodeURIComponent(note) }

/** The ttl of a stagelet. */
export const parseLifetime = (text: string): string => {
  if (!isLifetime(text)) throw new InvalidArgumentError('use at least 10m, such as 30m, 48h or 7d.')
  return text
}

/** `60s`, `5m`, `1h`, `90d`, `500ms`, or seconds → milliseconds. */
export const parseDuration = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('use a time such as 60s, 5m, 1h or 90d.')
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 's'] ?? 1000
  return Number(match[1]) * unit
}

/** The longest that a timer takes, 24 days. */
const foreverMs = 2 ** 31 - 1

const parseTimeout = (text: string): number => Math.min(parseDuration(text) || foreverMs, foreverMs)

/** The same for every command that waits. */
export const timeoutOption = (): Option =>
  new Option('--timeout <time>', 'how long to wait, such as 90s, 5m or 1h; 0s: for ever')
    .argParser(parseTimeout)
    .default(600_000, '10m')

export interface WaitFlags {
  readonly wait?: boolean | number
  readonly timeout: number
}

const waitOption = (text: string): Option => new Option('--wait [time]', text).argParser(parseWait)

const parseWait = (text: string): boolean | number => {
  if (text === 'true' || text === 'false') return text === 'true'
  return parseTimeout(text)
}

/** How long the command is to wait, in ms; undefined: not at all. `--wait=5m` is `--wait --timeout 5m`. */
export const waitOf = ({ wait, timeout }: WaitFlags): number | undefined => {
  if (wait === undefined || wait === false) return undefined
  return wait === true ? timeout : wait
}

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const day = /^\d{4}-\d\d-\d\d$/
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** `24h`, `7d` and `30m` count back from now; a date is its beginning in UTC. Returns RFC 3339. */
export const toInstant = (text: string, _previous?: unknown, now = realClock.now()): string => {
  const ago = /^(\d+)([mhd])$/.exec(text)
  if (ago !== null) {
    return toFineTimestamp(now - Number(ago[1]) * units[ago[2] as keyof typeof units])
  }
  const ms = day.test(text) || instant.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError('use a day (2026-01-31), a time (2026-01-31T10:00:00Z) or 24h.')
  }
  return toFineTimestamp(ms)
}
