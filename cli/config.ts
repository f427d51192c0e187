// What the environment and `stagely login` say about where the controller is.
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { baseEnvironment, type Environment } from '../src/compose/environment.ts'
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
  /** Where the token is, when it is not said itself. */
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

/** What Compose gets of our environment: as little as an agent gives it. */
export const readComposeEnvironment = (): Environment => baseEnvironment(process.env)

/** All of it: for a command that runs in our place, and to know what must not be shown. */
export const readEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined),
  )

/** Who became root by sudo. */
export const readSudoUser = (): string | undefined => setOrUndefined(process.env.SUDO_USER)

/** Where a private folder in memory may be. */
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

/** What `login` stored; undefined when it never ran. */
export const readLogin = async (): Promise<StoredLogin | undefined> => {
  let text: string
  try {
    text = await readFile(configFile(), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CliError(`cannot read ${configFile()}`, 1, error)
  }
  try {
    return storedSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new CliError(`${configFile()} is not valid; run "stagely login" again`, 1, error)
  }
}

/** Written aside and renamed, so that no reader ever sees half a file or wider permissions. */
export const writeLogin = async (login: StoredLogin): Promise<string> => {
  const file = configFile()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const aside = `${file}.new`
  await writeFile(aside, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 })
  await chmod(aside, 0o600)
  await rename(aside, file)
  return file
}
