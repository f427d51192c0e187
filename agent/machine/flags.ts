// The flags that `agent install`, `uninstall`, `doctor` and `support-bundle` share with `agent run`.
import {
  parseAgentConfig,
  readFlags,
  runOptions,
  withoutForeignEngine,
  type AgentConfig,
  type AgentOptions,
} from '../config.ts'

export const defaultDataDir = '/var/lib/stagely-agent'

export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

export interface MachineFlags {
  readonly config: AgentConfig
  /** The flags for `agent run`, with absolute paths and without a token. */
  readonly runArgs: readonly string[]
  /** Flags that `agent run` does not have. */
  readonly own: Values
}

const runArgsOf = (values: Values): string[] => {
  const args = ['--data-dir', textFlag(values, 'data-dir') ?? defaultDataDir]
  for (const dir of (values['allow-dir'] ?? []) as string[]) args.push('--allow-dir', dir)
  const filesDir = textFlag(values, 'files-dir')
  if (filesDir !== undefined) args.push('--files-dir', filesDir)
  if (values['files-on-disk'] === true) args.push('--files-on-disk')
  if (values['no-file-cache'] === true) args.push('--no-file-cache')
  if (values['no-tasks'] === true) args.push('--no-tasks')
  return args
}

/** The text of a flag; undefined where the flag is absent. */
export const textFlag = (values: Values, name: string): string | undefined => {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** Parses the flags; 'help' for --help. BadRequest. With `anyDockerHost` a DOCKER_HOST that cannot be used is no fault. */
export const parseMachineFlags = (
  argv: readonly string[],
  options: AgentOptions,
  { anyDockerHost = false } = {},
): MachineFlags | 'help' => {
  const values: Values = readFlags(argv, { ...runOptions, ...options })
  if (values['help'] === true) return 'help'
  const runArgs = runArgsOf(values)
  const joinFile = textFlag(values, 'join-file')
  const join = joinFile === undefined || joinFile === '-' ? [] : ['--join-file', joinFile]
  const config = anyDockerHost
    ? parseAgentConfig([...runArgs, ...join], withoutForeignEngine())
    : parseAgentConfig([...runArgs, ...join])
  if (config === 'help') return 'help'
  return { config, runArgs, own: values }
}
