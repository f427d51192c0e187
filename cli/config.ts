// The controller's address and other settings, from the environment and from `stagely login`.
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { baseEnvironment, type Environment } from '../src/compose/environment.ts'
import { readIfThere, writeWhole } from '../src/kernel/whole-file.ts'
import { CliError } from './errors.ts'

const storedSchema = z.object({
  server: z.string(),
  token: z.string(),
  caFile: z.string().optional(),
  namespace: z.string().optional(),
})

export type StoredLogin = z.infer<typeof storedSchema>

export interface ConnectionEnv {
  readonly server: string | undefined
  readonly token: string | undefined
  /** The token's file, when the token itself is not given. */
  readonly tokenFile: string | undefined
  readonly caFile: string | undefined
  readonly kubeconfig: string | undefined
  readonly namespace: string | undefined
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
})

/** The environment for Compose: as small as the agent's. */
export const readComposeEnvironment = (): Environment => baseEnvironment(process.env)

/** The whole environment: for a command that replaces this process, and to know which values to hide. */
export const readEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined),
  )

/** The user who ran sudo. */
export const readSudoUser = (): string | undefined => setOrUndefined(process.env.SUDO_USER)

/** Folders in memory in which a private folder may be made. */
export const readRuntimeFolders = (): string[] => [
  ...(process.env.XDG_RUNTIME_DIR === undefined ? [] : [process.env.XDG_RUNTIME_DIR]),
  '/dev/shm',
]

/** ~/.config/stagely/config.json, or below XDG_CONFIG_HOME. */
const configFile = (): string =>
  join(
    setOrUndefined(process.env.XDG_CONFIG_HOME) ?? join(homedir(), '.config'),
    'stagely',
    'config.json',
  )

/** The stored login; undefined when there is none. */
export const readLogin = async (): Promise<StoredLogin | undefined> => {
  const text = await readIfThere(configFile()).catch((error: unknown) => {
    throw new CliError(`cannot read ${configFile()}`, 1, error)
  })
  if (text === undefined) return undefined
  try {
    return storedSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new CliError(`${configFile()} is not valid; run "stagely login" again`, 1, error)
  }
}

export const writeLogin = async (login: StoredLogin): Promise<string> => {
  const file = configFile()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeWhole(file, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 })
  return file
}
