// Rotators of databases, by where their database is.
import { isOneLine, type Login } from '../../../src/databases/step.ts'
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import { createLoginRotator, type Ask, type LoginRotator } from './login.ts'
import { RotatorFault, type RotationAt, type Rotator, type RotatorDeps } from './rotator.ts'

type Rotators = RotationSpec['rotator']
type Place = Pick<NonNullable<Rotators['postgres']>, 'in' | 'at'>

interface Kind {
  readonly plugin: string
  readonly place: Place
  readonly slots: readonly string[]
  readonly usual: string
  readonly adopt?: string | undefined
  readonly countsSessions: boolean
  /** What the steps take beside the login. */
  readonly params: (admin: Admin) => Promise<Record<string, unknown>>
  /** The steps over the network. */
  readonly overNetwork?: (params: Record<string, unknown>) => Promise<LoginRotator['ask']>
}

interface Admin {
  readonly user: string | undefined
  readonly password: string | undefined
}

const textOf = async (
  { secretOf }: RotatorDeps,
  ref: { readonly name: string } | undefined,
): Promise<string | undefined> =>
  ref === undefined ? undefined : (await secretOf(ref.name)).toString('utf8').trim()

const passwordOf = async (
  deps: RotatorDeps,
  ref: { readonly name: string } | undefined,
): Promise<string | undefined> => {
  const text = await textOf(deps, ref)
  if (text === undefined || isOneLine(text)) return text
  throw new RotatorFault(
    'Failed',
    `the password in secret "${ref?.name ?? ''}" holds a line break or a NUL: write it as one line`,
  )
}

const given = <T>(name: string, value: T | undefined): Record<string, T> =>
  value === undefined ? {} : { [name]: value }

const open = (at: RotationAt, deps: RotatorDeps, kind: Kind): Rotator => {
  const { plugin, place, slots, usual, adopt, countsSessions } = kind
  const paramsOf = async (): Promise<Record<string, unknown>> => {
    const { adminUser: user, adminRef } = place.in ?? place.at ?? {}
    return kind.params({ user, password: await passwordOf(deps, adminRef) })
  }
  const ask = async (what: Ask, signal: AbortSignal) => {
    const { login, watchMs } = what
    const params = { ...(await paramsOf()), ...given('login', login), ...given('watchMs', watchMs) }
    if (place.in !== undefined) {
      if (deps.task === undefined)
        throw new RotatorFault('Unreachable', 'this controller has no agents')
      const { step, attempt } = what
      const task = { rotation: at.uid, attempt, step, service: place.in.service, plugin, params }
      return deps.task(place.in.stagelet, task, signal)
    }
    if (kind.overNetwork === undefined)
      throw new RotatorFault(
        'Failed',
        `${plugin} cannot be changed over the network yet: say in, with the stagelet and service of the database`,
      )
    return (await kind.overNetwork(params))(what, signal)
  }
  const { outputs, inPlace = false } = at.spec
  return createLoginRotator({
    slots,
    usual,
    adopt,
    outputs: Object.keys(outputs),
    inPlace,
    countsSessions,
    ask,
    current: deps.current,
  })
}

export const openPostgres = (
  at: RotationAt,
  spec: NonNullable<Rotators['postgres']>,
  deps: RotatorDeps,
): Rotator => {
  const { database, owner, roles, adopt } = spec
  return open(at, deps, {
    plugin: 'postgres',
    place: spec,
    slots: roles,
    usual: adopt ?? roles[0] ?? owner,
    adopt,
    countsSessions: true,
    params: ({ user, password }) =>
      Promise.resolve({
        database,
        owner: adopt ?? owner,
        roles,
        adopted: adopt !== undefined,
        ...given('adminUser', user),
        ...given('adminPassword', password),
      }),
    overNetwork: async (params) => {
      const { host = '', port = 5432, adminUser = 'postgres', adminRef, caRef } = spec.at ?? {}
      const password = (await passwordOf(deps, adminRef)) ?? ''
      const admin = { username: adminUser, password }
      const { postgresOverNetwork } = await import('./postgres-session.ts')
      const at = { host, port, admin, ca: await textOf(deps, caRef) }
      return postgresOverNetwork(deps.egress, at, params)
    },
  })
}

export const openMariadb = (
  at: RotationAt,
  spec: NonNullable<Rotators['mariadb']>,
  deps: RotatorDeps,
): Rotator => {
  const { database, users, from = '%', adopt } = spec
  return open(at, deps, {
    plugin: 'mariadb',
    place: spec,
    slots: users,
    usual: adopt ?? users[0] ?? '',
    adopt,
    countsSessions: true,
    params: ({ user, password }) =>
      Promise.resolve({
        database,
        users,
        from,
        ...given('adopt', adopt),
        ...given('adminUser', user),
        ...given('adminPassword', password),
      }),
  })
}

export const openRedis = (
  at: RotationAt,
  spec: NonNullable<Rotators['redis']>,
  deps: RotatorDeps,
): Rotator => {
  const { user } = spec
  return open(at, deps, {
    plugin: 'redis',
    place: spec,
    slots: [],
    usual: user,
    countsSessions: false,
    params: async (admin) => {
      const { password } = admin
      const named: Login | undefined =
        password === undefined ? undefined : { username: admin.user ?? 'default', password }
      // Who has all rights may change his own passwords: with the one that services use now.
      const current = (await deps.current?.())?.['password']
      const own = current === undefined ? undefined : { username: user, password: current }
      const admins = [named, own].filter((login) => login !== undefined)
      return { user, admins, ...given('current', own) }
    },
  })
}
