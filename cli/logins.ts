// The logins of this person, by the name of their context: ~/.config/stagely/config.json, or below
// XDG_CONFIG_HOME.
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isRecord, tryParseJson } from '../src/kernel/record.ts'
import { readIfThere, writeWhole } from '../src/kernel/whole-file.ts'
import { loginsFile } from './config.ts'
import { CliError, cannot } from './errors.ts'

export interface StoredLogin {
  readonly server: string
  readonly token: string
  readonly caFile?: string
  readonly namespace?: string
  /** The token was made for this login alone, by the browser: a logout revokes it. */
  readonly byBrowser?: boolean
}

export interface Logins {
  /** Name of the context that commands use; absent after its logout. */
  readonly current?: string
  readonly contexts: Readonly<Record<string, StoredLogin>>
}

export const contextName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/

const isLogin = (value: unknown): value is StoredLogin => {
  if (!isRecord(value)) return false
  const { server, token, caFile, namespace } = value
  const isTextOrAbsent = (field: unknown): boolean =>
    field === undefined || typeof field === 'string'
  return (
    typeof server === 'string' &&
    URL.canParse(server) &&
    typeof token === 'string' &&
    isTextOrAbsent(caFile) &&
    isTextOrAbsent(namespace)
  )
}

/** undefined where the text is none. Builds before contexts stored one login. */
export const decodeLogins = (text: string): Logins | undefined => {
  const value = tryParseJson(text)
  if (isLogin(value)) {
    const name = nameFor(value.server, { contexts: {} })
    return { current: name, contexts: { [name]: value } }
  }
  if (!isRecord(value) || !isRecord(value['contexts'])) return undefined
  const { current, contexts } = value
  if (current !== undefined && typeof current !== 'string') return undefined
  return Object.values(contexts).every(isLogin) ? (value as unknown as Logins) : undefined
}

/** CliError when the file cannot be read, or is damaged. */
export const readLogins = async (): Promise<Logins> => {
  const file = loginsFile()
  const text = await readIfThere(file).catch(cannot(`read ${file}`))
  if (text === undefined) return { contexts: {} }
  const logins = decodeLogins(text)
  if (logins === undefined)
    throw new CliError(`${file} is not valid: remove it, and run "stagely login" again`)
  return logins
}

/** Returns the path of the file, which only this user may read. */
export const writeLogins = async (logins: Logins): Promise<string> => {
  const file = loginsFile()
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeWhole(file, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600 })
  return file
}

/** CliError that lists the names, where there is no such context. */
export const loginNamed = ({ contexts }: Logins, name: string): StoredLogin => {
  const login = Object.hasOwn(contexts, name) ? contexts[name] : undefined
  if (login !== undefined) return login
  const names = Object.keys(contexts)
  const known = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}`
  throw new CliError(`no context has the name "${name}": ${known}`, 2)
}

export const currentLogin = (logins: Logins): StoredLogin | undefined =>
  logins.current === undefined ? undefined : logins.contexts[logins.current]

/** The login for a server: the current one first. */
export const loginFor = (server: string, logins: Logins): StoredLogin | undefined =>
  [currentLogin(logins), ...Object.values(logins.contexts)].find(
    (login) => login?.server === server,
  )

/** The context of a login without a name: that of the server, else a new one, named after the host. */
export const nameFor = (server: string, { current, contexts }: Logins): string => {
  const isOf = (name: string): boolean => contexts[name]?.server === server
  const named = [...(current === undefined ? [] : [current]), ...Object.keys(contexts)].find(isOf)
  if (named !== undefined) return named
  const { hostname, host } = new URL(server)
  const bare = (text: string): string => text.replace(/[[\]]/g, '')
  return Object.hasOwn(contexts, bare(hostname)) ? bare(host) : bare(hostname)
}
