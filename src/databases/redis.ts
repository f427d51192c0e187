// The password of a user of Redis or Valkey: two are valid at a time. What each step does, on any session.
//
// INVARIANTS
// - Passwords go to the server in AUTH alone; all other commands hold their hashes.
// - What is changed is saved in the same step, or changed back: a restart of the server must not bring an old one back.
import { createHash, randomBytes } from 'node:crypto'
import * as z from 'zod'
import {
  checkOwn,
  loginParam,
  nameParam,
  StepFault,
  type Facts,
  type Login,
  type Step,
} from './step.ts'

export const redisParams = z.object({
  user: nameParam,
  /** Absent for preflight. */
  login: loginParam.optional(),
  /** What the outputs hold. */
  current: loginParam.optional(),
  /** Who may change the passwords: the first that is accepted. Without any, nobody need log in. */
  admins: z.array(loginParam).max(3),
})
type RedisParams = z.infer<typeof redisParams>

export interface RedisSession {
  /** Lines of each answer; undefined where the login is not accepted. */
  ask(
    login: Login | undefined,
    commands: readonly RedisCommand[],
  ): Promise<readonly Lines[] | undefined>
  /** What the server was started with. */
  readonly command: readonly string[]
  /** Whether a file at this path outlives the server's container. */
  readonly lasts: (path: string) => boolean
}
export type RedisCommand = readonly string[]
export type Lines = readonly string[]

interface Server {
  readonly admin: Login | undefined
  readonly session: RedisSession
}

export const runRedisStep = async (
  step: Step,
  params: RedisParams,
  session: RedisSession,
): Promise<Facts> => {
  const { login, user } = params
  // Which password a session has logged in with, the server does not know.
  if (step === 'stillUsed') return {}
  if (step === 'preflight') return preflight(params, await asAdmin(params, session))
  if (login === undefined) throw new StepFault('Failed', `the step ${step} names no login`)
  checkOwn(login, [user])
  switch (step) {
    case 'look':
      return { accepted: (await isAccepted(session, login)) ? 'accepted' : 'refused' }
    case 'set':
      await change(await asAdmin(params, session), user, { add: login.password })
      return {}
    case 'test': {
      const random = { ...login, password: randomBytes(24).toString('hex') }
      if (!(await isAccepted(session, login))) return { accepted: 'refused' }
      return { accepted: (await isAccepted(session, random)) ? 'meaningless' : 'accepted' }
    }
    case 'revoke': {
      const admin = await asAdmin(params, session)
      await change(admin, user, { remove: login.password })
      await endSessions(admin, user)
      return {}
    }
    case 'scramble':
      await change(await asAdmin(params, session), user, { remove: login.password })
      return {}
  }
}

const isAccepted = async (session: RedisSession, login: Login): Promise<boolean> =>
  (await session.ask(login, [])) !== undefined

/** The first login that may read who may do what. */
const asAdmin = async ({ admins, login }: RedisParams, session: RedisSession): Promise<Server> => {
  const all = [...admins, undefined, ...(login === undefined ? [] : [login])]
  const tried = new Set<string>()
  for (const admin of all) {
    const answers = await session.ask(admin, [['ACL', 'LIST']])
    if (answers?.[0]?.some((line) => line.startsWith('user '))) return { admin, session }
    const what = answers === undefined ? 'is refused' : 'may not use ACL or ECHO'
    if (admin !== undefined) tried.add(`${admin.username} ${what}`)
  }
  const why = tried.size === 0 ? '' : ` (${[...tried].join(', ')})`
  throw new StepFault(
    'Failed',
    `no login may change passwords${why}: name one that may in adminUser and adminRef; Redis before 6 knows no ACL`,
  )
}

const ask = async (
  { admin, session }: Server,
  ...commands: RedisCommand[]
): Promise<readonly Lines[]> => {
  const answers = await session.ask(admin, commands)
  if (answers === undefined) throw new StepFault('Unreachable', 'the administrator is not accepted')
  return answers
}

/** Flags and hashes of the user, as ACL LIST writes them; undefined: there is none. */
const rulesOf = async (server: Server, user: string): Promise<readonly string[] | undefined> => {
  const [list = []] = await ask(server, ['ACL', 'LIST'])
  return list
    .map((line) => line.split(' '))
    .find(([kind, name]) => kind === 'user' && name === user)
}

const hashOf = (password: string): string => createHash('sha256').update(password).digest('hex')

const fieldOf = (lines: Lines, name: string): string =>
  lines
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim() ?? ''

/** Where users are kept over a restart. */
const keptIn = async (server: Server): Promise<{ aclFile: string; configFile: string }> => {
  const [acl = [], info = []] = await ask(server, ['CONFIG', 'GET', 'aclfile'], ['INFO', 'server'])
  return { aclFile: acl[1] ?? '', configFile: fieldOf(info, 'config_file') }
}

/** Passwords that no rotation ends, since none of its outputs has held them. */
const othersOf = (
  { user, current }: RedisParams,
  rules: readonly string[] | undefined,
): string[] => {
  const own = current === undefined ? undefined : `#${hashOf(current.password)}`
  const others = (rules ?? []).filter((rule) => rule.startsWith('#') && rule !== own)
  return others.length === 0
    ? []
    : [
        `user ${user} has ${others.length === 1 ? 'a password' : `${others.length} passwords`} that no output holds, and that stay valid for ever: take them off when nobody uses them (ACL SETUSER ${user} !HASH; ACL LIST shows the hashes), or delete the rotation, write the password of today into the output, and make it again with adopt: true`,
      ]
}

const preflight = async (params: RedisParams, server: Server): Promise<Facts> => {
  const rules = await rulesOf(server, params.user)
  const faults = await faultsOf(params, server, rules)
  return { faults, warnings: faults.length > 0 ? [] : othersOf(params, rules) }
}

/**
 * A session stays logged in when its password is taken off, and the server does not know with which one of the user it
 * has logged in. So all of the user end; those with the new password connect again. Replicas keep theirs.
 */
const endSessions = async (server: Server, user: string): Promise<void> => {
  for (const type of ['normal', 'pubsub']) {
    const [[said = ''] = []] = await ask(server, [
      ...['CLIENT', 'KILL', 'TYPE', type, 'USER', user, 'SKIPME', 'yes'],
    ])
    if (!/^\d+$/.test(said))
      throw new StepFault(
        'Failed',
        `the old password is taken off, but its sessions go on, since the server does not end them (${said}): give the administrator the right to CLIENT`,
      )
  }
}

const faultsOf = async (
  { user }: RedisParams,
  server: Server,
  rules: readonly string[] | undefined,
): Promise<string[]> => {
  const [info = []] = await ask(server, ['INFO', 'replication'])
  const { aclFile, configFile } = await keptIn(server)
  const { command, lasts } = server.session
  const file = aclFile === '' ? configFile : aclFile
  return [
    ...(fieldOf(info, 'role') === 'slave' ? ['the server is a replica: name the primary'] : []),
    ...(rules === undefined
      ? [`there is no user ${user}: make it with the rights that it needs`]
      : []),
    ...(rules?.includes('nopass') === true
      ? [`user ${user} needs no password: give it one first, which services use`]
      : []),
    ...(user === 'default' && command.includes('--requirepass')
      ? [
          'the password is in the command (--requirepass), and comes back with each start: put it into a file',
        ]
      : []),
    ...(file === ''
      ? [
          'nothing makes a new password last: the server has neither an aclfile nor a file of its configuration',
        ]
      : lasts(file)
        ? []
        : [`nothing makes a new password last: ${file} is on no volume`]),
  ]
}

const change = async (
  server: Server,
  user: string,
  { add, remove }: { readonly add?: string; readonly remove?: string },
): Promise<void> => {
  const rules = await rulesOf(server, user)
  if (rules === undefined) throw new StepFault('Failed', `there is no user ${user}`)
  const has = (password: string): boolean => rules.includes(`#${hashOf(password)}`)
  const rule =
    add !== undefined
      ? has(add)
        ? undefined
        : { there: `#${hashOf(add)}`, back: `!${hashOf(add)}` }
      : has(remove ?? '')
        ? { there: `!${hashOf(remove ?? '')}`, back: `#${hashOf(remove ?? '')}` }
        : undefined
  if (rule === undefined) return
  const { aclFile } = await keptIn(server)
  const save = aclFile === '' ? ['CONFIG', 'REWRITE'] : ['ACL', 'SAVE']
  const [changed = [], saved = []] = await ask(
    server,
    ['ACL', 'SETUSER', user, 'on', rule.there],
    save,
  )
  if (changed[0] !== 'OK')
    throw new StepFault('Failed', `the server does not change user ${user}: ${changed.join(' ')}`)
  if (saved[0] === 'OK') return
  await ask(server, ['ACL', 'SETUSER', user, rule.back])
  throw new StepFault(
    'Failed',
    `the server cannot save its users (${save.join(' ')}), and was changed back: ${saved.join(' ')}`,
  )
}
