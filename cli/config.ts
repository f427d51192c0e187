// The controller's address and other settings, from the environment.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { baseEnvironment, type Environment } from '../src/compose/environment.ts'

export interface ConnectionEnv {
  readonly server: string | undefined
  readonly token: string | undefined
  /** The token's file, when the token itself is not given. */
  readonly tokenFile: string | undefined
  readonly caFile: string | undefined
  readonly kubeconfig: string | undefined
  readonly namespace: string | undefined
  /** Name of a stored login. */
  readonly context: string | undefined
}

const setOrUndefined = (value: string | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : value

export const readConnectionEnv = (): ConnectionEnv => ({
  server: setOrUndefined(process.env.STAGELY_SERVER),
  token: setOrUndefined(process.env.STAGELY_TOKEN),
  tokenFile: setOrUndefined(process.env.STAGELY_TOKEN_FILE),
  caFile: setOrUndefined(process.env.STAGELY_CA_FILE),
  kubeconfig: setOrUndefined(process.env.KUBECONFIG),
  namespace: setOrUndefined(process.env.STAGELY_NAMESPACE),
  context: setOrUndefined(process.env.STAGELY_CONTEXT),
})

/** The environment for Compose: as small as the agent's. */
export const readComposeEnvironment = (): Environment => baseEnvironment(process.env)

/** The whole environment: for a command that replaces this process, and to know which values to hide. */
export const readEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined),
  )

/** The command of this person's editor. */
export const readEditor = (): string =>
  setOrUndefined(process.env.VISUAL) ?? setOrUndefined(process.env.EDITOR) ?? 'vi'

/** The user who ran sudo. */
export const readSudoUser = (): string | undefined => setOrUndefined(process.env.SUDO_USER)

/** Folders in memory in which a private folder may be made. */
export const readRuntimeFolders = (): string[] => [
  ...(process.env.XDG_RUNTIME_DIR === undefined ? [] : [process.env.XDG_RUNTIME_DIR]),
  '/dev/shm',
]

/** ~/.config/stagely/config.json, or below XDG_CONFIG_HOME. */
export const loginsFile = (): string =>
  join(
    setOrUndefined(process.env.XDG_CONFIG_HOME) ?? join(homedir(), '.config'),
    'stagely',
    'config.json',
  )
