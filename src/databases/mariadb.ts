// The login of a database of MariaDB: two users by turns. What each step does, on any session.
//
// INVARIANTS
// - No statement holds a password, only its hash.
// - Services get rights over one database, and no others.
// - Only a user of the rotation is looked at, set or ended.
// - A step may be asked for again at any time.
import { createHash, randomBytes } from 'node:crypto'
import * as z from 'zod'
import { mariadbName, mariadbText } from './quote.ts'
import {
  checkOwn,
  loginParam,
  nameParam,
  StepFault,
  type Facts,
  type Login,
  type Step,
  watchParam,
} from './step.ts'

export const mariadbParams = z.object({
  database: nameParam,
  /** Those that take turns; one alone whose password is changed in place. */
  users: z.array(nameParam).min(1).max(2),
  /** Where they log in from. */
  from: nameParam,
  adopt: nameParam.optional(),
  /** Absent for preflight. */
  login: loginParam.optional(),
  watchMs: watchParam.optional(),
})
export type MariadbParams = z.infer<typeof mariadbParams>

/** A session of the administrator, and logins of others. */
export interface MariadbSession {
  /** Each row is one text: what the queries, one after the other, make of it. */
  texts(...queries: readonly string[]): Promise<readonly string[]>
  run(statements: readonly string[]): Promise<void>
  /** Whether the login is accepted, over the network as services log in. */
  logIn(login: Login): Promise<boolean>
}

export const runMariadbStep = async (
  step: Step,
  params: MariadbParams,
  session: MariadbSession,
): Promise<Facts> => {
  if (step === 'preflight') return { faults: await faultsOf(params, session) }
  const { login } = params
  if (login === undefined) throw new StepFault('Failed', `the step ${step} names no login`)
  checkOwn(login, [...params.users, params.adopt])
  switch (step) {
    case 'look':
      return { accepted: (await session.logIn(login)) ? 'accepted' : 'refused' }
    case 'set':
      await set(params, login, session)
      return {}
    case 'test': {
      if (!(await session.logIn(login))) return { accepted: 'refused' }
      const random = { ...login, password: randomBytes(24).toString('hex') }
      return { accepted: (await session.logIn(random)) ? 'meaningless' : 'accepted' }
    }
    case 'stillUsed':
      return stillUsed(params, login, session)
    case 'revoke':
    case 'scramble':
      // One user whose password is changed in place: its old one ended when it was replaced.
      if (params.users.length > 1 || !params.users.includes(login.username))
        await end(login.username, session)
      return {}
  }
}

/** As MariaDB stores it for mysql_native_password. */
export const nativeHash = (password: string): string => {
  const sha1 = (bytes: Buffer | string): Buffer => createHash('sha1').update(bytes).digest()
  return `*${sha1(sha1(password)).toString('hex').toUpperCase()}`
}

const unlocked = `coalesce(json_value(Priv, '$.account_locked'), '0') not in ('1', 'true')`

/** Whether MariaDB would take the password, by what it has stored for the user, at any host. */
export const wouldAccept = async (
  session: Pick<MariadbSession, 'texts'>,
  { username, password }: Login,
): Promise<boolean> => {
  const stored = await session.texts(
    `select json_value(Priv, '$.authentication_string') from mysql.global_priv
     where User = ${mariadbText(username)} and ${unlocked}`,
  )
  return stored.includes(nativeHash(password))
}

const systemDatabases = ['mysql', 'information_schema', 'performance_schema', 'sys']

/** Why the users would have more rights than those over one database. */
const rightFaults = async (
  { database, users }: MariadbParams,
  session: MariadbSession,
): Promise<string[]> => {
  const named = `User in (${['', ...users].map(mariadbText).join(', ')})`
  const mighty = await session.texts(
    `select User from mysql.global_priv where User <> '' and ${named}
       and (coalesce(json_value(Priv, '$.access'), 0) <> 0 or json_value(Priv, '$.is_role') is not null)
     union select User from mysql.roles_mapping where User <> '' and ${named}`,
  )
  return [
    ...(systemDatabases.includes(database.toLowerCase())
      ? [`${database} is a database of the server itself: name a database of services`]
      : []),
    ...mighty.map(
      (user) =>
        `${user} has rights over all databases, or is or has a role: it must not be the login of services`,
    ),
  ]
}

const faultsOf = async (params: MariadbParams, session: MariadbSession): Promise<string[]> => {
  const { database, users, adopt } = params
  const [version = ''] = await session.texts('select version()')
  if (!version.includes('MariaDB')) return [`the server is no MariaDB: it says ${version}`]
  const [admin = ''] = await session.texts("select substring_index(current_user(), '@', 1)")
  const [databases = '0', readOnly = '0', adopted = '0'] = await session.texts(
    `select count(*) from information_schema.SCHEMATA where SCHEMA_NAME = ${mariadbText(database)}
     union all select @@read_only
     union all select count(*) from mysql.global_priv where User = ${mariadbText(adopt ?? '')}`,
  )
  return [
    ...(readOnly === '0' ? [] : ['the server is read-only: name the primary']),
    ...(databases === '0' ? [`there is no database ${database}`] : []),
    ...(await rightFaults({ ...params, users: users.filter((user) => user !== admin) }, session)),
    ...(users.includes(admin) ? [`${admin} is the administrator: it must not take turns`] : []),
    ...(adopt === admin ? [`${admin} is the administrator: it cannot be adopted`] : []),
    ...(adopt !== undefined && adopted === '0'
      ? [`there is no user ${adopt} that could be adopted`]
      : []),
  ]
}

const set = async (
  params: MariadbParams,
  { username, password }: Login,
  session: MariadbSession,
): Promise<void> => {
  const { database, users, from } = params
  if (!users.includes(username))
    throw new StepFault('Failed', `${username} is none of the users that take turns`)
  const faults = await rightFaults(params, session)
  if (faults.length > 0) throw new StepFault('Failed', faults.join('; '))
  const who = accountName(username, from)
  const how = `identified via mysql_native_password using '${nativeHash(password)}'`
  // In a grant, "_" and "%" of a name stand for any characters.
  const pattern = database.replace(/[_%\\]/g, (c) => `\\${c}`)
  await session.run([
    `create user if not exists ${who} ${how}`,
    `alter user ${who} ${how} account unlock`,
    `grant all privileges on ${mariadbName(pattern)}.* to ${who}`,
  ])
}

/** Names of accounts take no hexadecimal text. */
const accountName = (user: string, host: string): string =>
  `${mariadbName(user)}@${mariadbName(host)}`

const pollMs = 20

const stillUsed = async (
  { watchMs = 0 }: MariadbParams,
  { username }: Login,
  session: MariadbSession,
): Promise<Facts> => {
  const sessionsSql = `select concat(ID, ' ', substring_index(HOST, ':', 1)) from information_schema.PROCESSLIST
     where USER = ${mariadbText(username)}`
  const again = [`do sleep(${pollMs / 1000})`, sessionsSql]
  const turns = Array.from({ length: Math.floor(watchMs / pollMs) }, () => again).flat()
  const sessions = new Set(await session.texts(sessionsSql, ...turns))
  const hosts = [...sessions].map((client) => client.slice(client.indexOf(' ') + 1))
  const open = await session.texts(
    `select Host from mysql.global_priv where User = ${mariadbText(username)} and ${unlocked}`,
  )
  return {
    sessions: hosts.length,
    from: [...new Set(hosts)].sort().slice(0, 100),
    ...(watchMs > 0 && { watchedMs: watchMs }),
    ...(open.length === 0 && { ended: true }),
  }
}

/** All accounts of the name accept nothing any more, and their sessions end. */
const end = async (username: string, session: MariadbSession): Promise<void> => {
  const hosts = await session.texts(
    `select Host from mysql.global_priv where User = ${mariadbText(username)}`,
  )
  if (hosts.length === 0) return
  const unknown = nativeHash(randomBytes(24).toString('hex'))
  await session.run([
    ...hosts.map(
      (host) =>
        `alter user ${accountName(username, host)} identified via mysql_native_password using '${unknown}' account lock`,
    ),
    `kill user ${mariadbName(username)}`,
  ])
}
