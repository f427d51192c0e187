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

/** What the runners of CIs say to their jobs. */
export const readCiEnv = () => ({
  /** GitLab: `id_tokens` of the job. */
  idToken: setOrUndefined(process.env.STAGELY_ID_TOKEN),
  idTokenFile: setOrUndefined(process.env.STAGELY_ID_TOKEN_FILE),
  /** GitHub and Forgejo. */
  requestUrl: setOrUndefined(process.env.ACTIONS_ID_TOKEN_REQUEST_URL),
  requestToken: setOrUndefined(process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN),
  /** Variables for the steps that follow, and the folder of the job. */
  variablesFile: setOrUndefined(process.env.GITHUB_ENV),
  jobFolder: setOrUndefined(process.env.RUNNER_TEMP),
  isActions: process.env.GITHUB_ACTIONS === 'true',
  isGitlab: process.env.GITLAB_CI === 'true',
  isKubernetes: setOrUndefined(process.env.KUBERNETES_SERVICE_HOST) !== undefined,
})
export type CiEnv = ReturnType<typeof readCiEnv>

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
