// The login of a database of Postgres: two roles by turns, whose objects belong to a third one. What each step does,
// on any session: in the container, or over the network.
//
// INVARIANTS
// - No statement holds a password, only the verifier that is made of it.
// - Services get rights over the objects of one owner, and no others.
// - Only a login of the rotation is looked at, set or ended.
// - A step looks at the roles first and changes only what differs: it may be asked for again at any time.
import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { sqlName, sqlText } from './quote.ts'
import { scramVerifier } from './scram.ts'
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

export const postgresParams = z.object({
  database: nameParam,
  /** The role that owns the objects. */
  owner: nameParam,
  /** Those that take turns; one alone whose password is changed in place. */
  roles: z.array(nameParam).min(1).max(2),
  /** The owner is a login that services have used: it keeps its login until it is revoked. */
  adopted: z.boolean().optional(),
  /** Absent for preflight. */
  login: loginParam.optional(),
  watchMs: watchParam.optional(),
})
export type PostgresParams = z.infer<typeof postgresParams>

/** A session of the administrator, and logins of others. */
export interface PostgresSession {
  /** The administrator logs in with a password that is stored: whoever changes it shuts the steps out. */
  readonly needsPassword: boolean
  /** Rows of a query in `database`; of the rotation's when absent. */
  rows<T>(query: string, database?: string): Promise<readonly T[]>
  /** Statements that all happen or none. */
  run(statements: readonly string[]): Promise<void>
  /** Rows of a query by this login, over the network as services log in; undefined where it is refused. */
  loginRows<T>(login: Login, query: string): Promise<readonly T[] | undefined>
}

/** Every database has it; the one that is asked for may not exist yet. */
const anyDatabase = 'template1'

export const runPostgresStep = async (
  step: Step,
  params: PostgresParams,
  session: PostgresSession,
): Promise<Facts> => {
  if (step === 'preflight') return preflight(params, session)
  const { login } = params
  if (login === undefined) throw new StepFault('Failed', `the step ${step} names no login`)
  checkOwn(login, params.adopted === true ? [...params.roles, params.owner] : params.roles)
  switch (step) {
    case 'look':
      return { accepted: (await isAccepted(session, login)) ? 'accepted' : 'refused' }
    case 'set':
      await set(params, login, session)
      return {}
    case 'test':
      return { accepted: await test(params, login, session) }
    case 'stillUsed':
      return stillUsed(params, login, session)
    case 'revoke':
    case 'scramble':
      // One role whose password is changed in place: its old one ended when it was replaced.
      if (params.roles.length > 1 || !params.roles.includes(login.username))
        await end(login.username, session)
      return {}
  }
}

interface Role {
  readonly name: string
  readonly super: boolean
  /** May make roles or copy the whole server, or passes by row security. */
  readonly mighty: boolean
  /** Superusers and roles of Postgres' own (pg_…) whose rights it has. */
  readonly rights: readonly string[]
  readonly login: boolean
  /** Its session asks. */
  readonly asks: boolean
}

const rolesNamed = (
  session: PostgresSession,
  names: readonly string[],
  database?: string,
): Promise<readonly Role[]> =>
  session.rows<Role>(
    `select rolname as name, rolsuper as super, rolcanlogin as login, rolname = current_user as asks,
       rolcreaterole or rolreplication or rolbypassrls as mighty,
       to_json(array(select other.rolname::text from pg_roles other
         where (other.rolsuper or left(other.rolname::text, 3) = 'pg_') and other.oid <> own.oid
           and other.rolname <> 'pg_database_owner' and pg_has_role(own.oid, other.oid, 'MEMBER'))) as rights
     from pg_roles own where rolname in (${names.map(sqlText).join(', ')})`,
    database,
  )

/** New databases are copies of them. */
const templates = ['template0', 'template1']
const isReserved = (name: string): boolean => name.startsWith('pg_')

/** Why the roles would have more rights than those over the objects of one owner. */
const rightFaults = (
  { database, owner, roles, adopted = false }: PostgresParams,
  found: readonly Role[],
): string[] => {
  const ofOwner = found.find(({ name }) => name === owner)
  const inherited = new Set([owner, ...(ofOwner?.rights ?? [])])
  return [
    ...(templates.includes(database)
      ? [`${database} is the template of new databases: name a database of services`]
      : []),
    ...[owner, ...roles]
      .filter(isReserved)
      .map((name) => `${name} is a role of Postgres itself: name another one`),
    ...found.flatMap(({ name, super: isSuper, mighty, rights }) => {
      if (name === owner && adopted) return []
      const isOwner = name === owner && !roles.includes(name)
      const end = isOwner
        ? 'services would have its rights'
        : 'it must not be the login of services'
      const more = isOwner ? rights : rights.filter((right) => !inherited.has(right))
      if (isSuper) return [`role ${name} is a superuser: ${end}`]
      if (mighty)
        return [`role ${name} may make roles, copy the server or pass by row security: ${end}`]
      return more.length === 0 ? [] : [`role ${name} has the rights of ${more.join(', ')}: ${end}`]
    }),
  ]
}

interface Server {
  readonly standby: boolean
  readonly version: number
  readonly admin: string
  readonly able: boolean
  readonly exists: boolean
}

/** Its end would be the end of the administrator's own password. */
const lockedOut = (name: string): string =>
  `${name} is adopted, and is the administrator that logs in with a stored password (adminRef): after the first rotation that password would be refused, and nothing could be changed any more; make another superuser, and name it in adminUser and adminRef`

const adoptionFaults = (
  name: string,
  role: Role | undefined,
  { needsPassword }: PostgresSession,
): string[] => {
  if (role === undefined) return [`there is no role ${name} that could be adopted`]
  return role.asks && needsPassword ? [lockedOut(name)] : []
}

const preflight = async (params: PostgresParams, session: PostgresSession): Promise<Facts> => {
  const { database, owner, roles, adopted = false } = params
  const [server] = await session.rows<Server>(
    `select pg_is_in_recovery() as standby, current_setting('server_version_num')::int as version,
       current_user::text as admin,
       (select rolsuper or rolcreaterole from pg_roles where rolname = current_user) as able,
       exists (select from pg_database where datname = ${sqlText(database)}) as exists`,
    anyDatabase,
  )
  if (server === undefined) throw new StepFault('Failed', 'the database does not say what it is')
  const found = await rolesNamed(session, [owner, ...roles], anyDatabase)
  const ownerRole = found.find(({ name }) => name === owner)
  const faults = [
    ...(server.standby ? ['the database is a standby: name the primary'] : []),
    ...(server.version < 100_000 ? ['Postgres is older than 10, and knows no SCRAM'] : []),
    ...(server.able ? [] : [`${server.admin} may not make roles: name an administrator that may`]),
    ...(server.exists ? [] : [`there is no database ${database}`]),
    ...(roles.length > 1 && roles.includes(owner)
      ? [`the owner ${owner} takes turns itself: name another role`]
      : []),
    ...rightFaults(params, found),
    ...(ownerRole?.login === true && !adopted && !roles.includes(owner)
      ? [
          `the owner ${owner} can log in: take its login away (ALTER ROLE … NOLOGIN), or say adopt where services use it`,
        ]
      : []),
    ...(adopted ? adoptionFaults(owner, ownerRole, session) : []),
  ]
  const isSuper = adopted && ownerRole?.super === true
  const warnings = isSuper
    ? [
        `${owner} is a superuser: services keep its rights by the new roles, and ${ownerRole.asks ? 'its password is replaced in place of its login, which the local socket needs' : 'it loses its login'}`,
      ]
    : []
  return { faults, warnings }
}

const isAccepted = async (session: PostgresSession, login: Login): Promise<boolean> =>
  (await session.loginRows(login, 'select 1 as one')) !== undefined

const set = async (
  params: PostgresParams,
  { username, password }: Login,
  session: PostgresSession,
): Promise<void> => {
  const { database, owner, roles } = params
  if (!roles.includes(username))
    throw new StepFault('Failed', `${username} is none of the roles that take turns`)
  const found = await rolesNamed(session, [owner, username])
  const faults = rightFaults(params, found)
  if (faults.length > 0) throw new StepFault('Failed', faults.join('; '))
  const has = (name: string): boolean => found.some((role) => role.name === name)
  const [role, group, db] = [username, owner, database].map(sqlName)
  await session.run([
    ...(has(owner)
      ? []
      : [
          `create role ${group} nologin`,
          `grant all on database ${db} to ${group}`,
          `grant all on schema public to ${group}`,
        ]),
    ...(has(username) ? [] : [`create role ${role}`]),
    `alter role ${role} login valid until 'infinity' password ${sqlText(scramVerifier(password))}`,
    ...(username === owner
      ? []
      : [
          `grant ${group} to ${role}`,
          // So that what the role makes belongs to the owner, whichever role is in turn.
          `alter role ${role} in database ${db} set role = ${sqlText(owner)}`,
        ]),
  ])
}

const test = async (
  { owner }: PostgresParams,
  login: Login,
  session: PostgresSession,
): Promise<NonNullable<Facts['accepted']>> => {
  const answer = await session.loginRows<{ acts: string }>(
    login,
    'select current_user::text as acts',
  )
  if (answer === undefined) return 'refused'
  const password = randomBytes(24).toString('hex')
  if (await isAccepted(session, { ...login, password })) return 'meaningless'
  const acts = answer[0]?.acts
  if (acts === owner) return 'accepted'
  throw new StepFault(
    'Failed',
    `${login.username} logs in, but acts as ${acts ?? 'nobody'} and not as the owner ${owner}`,
  )
}

/** Of a role that asks itself, as in adoption, its sessions by the local socket are the administrator's. */
const others = (username: string): string =>
  `usename = ${sqlText(username)} and pid <> pg_backend_pid()
   and (usename <> session_user or client_addr is not null)`

const pollMs = 10

/**
 * All sessions of a time: it is looked again and again within one query. What Postgres says of sessions is kept for a
 * transaction, so that it is forgotten before each turn, and the turn is an argument, so that no turn repeats another.
 */
const sessionsIn = (ms: number): string =>
  `(select rolname as usename, pid, client_addr
   from generate_series(0, ${Math.floor(ms / pollMs)}) as turns (turn),
     lateral (select turn as at, pg_stat_clear_snapshot(), pg_sleep(${pollMs / 1000} * sign(turn))
       where turn = 0 or clock_timestamp() < statement_timestamp() + interval '${ms} ms') as pause,
     lateral pg_stat_get_activity(nullif(pause.at, pause.at)) as seen
     join pg_roles on oid = usesysid) as sessions`

const stillUsed = async (
  { watchMs = 0 }: PostgresParams,
  { username }: Login,
  session: PostgresSession,
): Promise<Facts> => {
  const found = await session.rows<{ address: string; count: number }>(
    `select coalesce(host(client_addr), 'local socket') as address, count(distinct pid)::int as count
     from ${sessionsIn(watchMs)} where ${others(username)} group by 1 order by 2 desc, 1`,
  )
  const [role] = await rolesNamed(session, [username])
  return {
    sessions: found.reduce((sum, { count }) => sum + count, 0),
    from: found.slice(0, 100).map(({ address }) => address),
    ...(watchMs > 0 && { watchedMs: watchMs }),
    ...(role?.login !== true && { ended: true }),
  }
}

/** The role accepts nothing any more, and its sessions end. */
const end = async (username: string, session: PostgresSession): Promise<void> => {
  const [found] = await rolesNamed(session, [username])
  if (found === undefined) return
  if (found.asks && session.needsPassword) throw new StepFault('Failed', lockedOut(username))
  const role = sqlName(username)
  const unknown = scramVerifier(randomBytes(24).toString('hex'))
  await session.run([
    found.asks
      ? `alter role ${role} password ${sqlText(unknown)}`
      : `alter role ${role} nologin password null`,
  ])
  await session.rows(
    `select pg_terminate_backend(pid) as ended from pg_stat_activity where ${others(username)}`,
  )
}
