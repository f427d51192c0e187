import { describe, expect, it } from 'vitest'
import { runPostgresStep, type PostgresParams, type PostgresSession } from './postgres.ts'
import type { Login } from './step.ts'

interface Given {
  readonly server?: object
  readonly roles?: readonly object[]
  readonly accepts?: (login: Login) => boolean
  readonly acts?: string
  readonly used?: readonly object[]
  readonly needsPassword?: boolean
}

const role = (name: string, more: object = {}) => ({
  name,
  super: false,
  mighty: false,
  rights: [],
  login: false,
  asks: false,
  ...more,
})
const base = { database: 'shop', owner: 'app', roles: ['app_a', 'app_b'] }
const login = { username: 'app_a', password: 'the-new-one' }

const open = ({ server, roles = [], used = [], ...given }: Given) => {
  const { accepts = () => true, acts = 'app', needsPassword = false } = given
  const ran: string[] = []
  const session: PostgresSession = {
    needsPassword,
    rows: <T>(query: string) => {
      ran.push(query)
      const isServer = query.includes('pg_is_in_recovery')
      const good = { standby: false, version: 170_000, admin: 'postgres', able: true, exists: true }
      const found = isServer
        ? [{ ...good, ...server }]
        : query.includes('pg_stat_get_activity')
          ? used
          : roles.filter((row) => query.includes(`'${(row as { name: string }).name}'`))
      return Promise.resolve(found as T[])
    },
    run: (statements) => {
      ran.push(...statements)
      return Promise.resolve()
    },
    loginRows: <T>(as: Login) => Promise.resolve(accepts(as) ? ([{ acts }] as T[]) : undefined),
  }
  const step = (name: Parameters<typeof runPostgresStep>[0], tweak: Partial<PostgresParams> = {}) =>
    runPostgresStep(name, { ...base, login, ...tweak }, session)
  return { step, ran }
}

/** Each would give services more than the objects of one owner. */
const tooMuch = [
  ['a superuser by turns', { roles: [role('app_a', { super: true })] }, {}, /app_a is a superuser/],
  ['a superuser for owner', { roles: [role('app', { super: true })] }, {}, /services would have/],
  [
    'one that makes roles',
    { roles: [role('app_a', { mighty: true })] },
    {},
    /app_a may make roles/,
  ],
  ['such an owner', { roles: [role('app', { mighty: true })] }, {}, /app may make roles/],
  [
    'an owner with a right over the server',
    { roles: [role('app', { rights: ['pg_execute_server_program'] })] },
    {},
    /app has the rights of pg_execute_server_program: services would/,
  ],
  [
    'a login with a right that its owner has not',
    { roles: [role('app'), role('app_a', { rights: ['app', 'pg_read_all_data'] })] },
    {},
    /app_a has the rights of pg_read_all_data: it must/,
  ],
  [
    'a role of Postgres',
    {},
    { owner: 'pg_read_all_data' },
    /pg_read_all_data is a role of Postgres/,
  ],
  ['a template', {}, { database: 'template1' }, /template1 is the template of new databases/],
] as const

describe('the preflight of a rotation of Postgres', () => {
  it.each(tooMuch)('refuses %s', async (_, given, tweak, fault) => {
    const { faults } = await open(given).step('preflight', tweak)
    expect(faults).toEqual([expect.stringMatching(fault)])
  })

  it.each([
    ['a standby', { server: { standby: true } }, {}, 'the database is a standby: name the primary'],
    ['an old server', { server: { version: 90_600 } }, {}, /older than 10/],
    ['no right', { server: { able: false, admin: 'x' } }, {}, /x may not make roles/],
    ['no database', { server: { exists: false } }, {}, 'there is no database shop'],
    ['an owner by turns', {}, { owner: 'app_a' }, /takes turns itself/],
    ['a superuser', { roles: [role('app_b', { super: true })] }, {}, /app_b is a superuser/],
    ['an owner with a login', { roles: [role('app', { login: true })] }, {}, /app can log in/],
    ['nobody to adopt', {}, { adopted: true }, /no role app that could be adopted/],
  ] as const)('refuses %s', async (_, given, tweak, fault) => {
    const { faults } = await open(given).step('preflight', tweak)
    expect(faults).toEqual([expect.stringMatching(fault)])
  })

  it('tells all faults at once, and changes nothing', async () => {
    const { step, ran } = open({ server: { standby: true, exists: false, able: false } })
    expect((await step('preflight')).faults).toHaveLength(3)
    expect(ran.every((query) => /^\s*select/.test(query))).toBe(true)
  })

  it('finds nothing where all is well, also before anything was made', async () => {
    expect(await open({}).step('preflight')).toEqual({ faults: [], warnings: [] })
    const roles = [role('app'), role('app_a', { login: true }), role('app_b')]
    expect(await open({ roles }).step('preflight')).toEqual({ faults: [], warnings: [] })
  })

  it('takes a superuser in adoption, and says what that means', async () => {
    const roles = [role('app', { login: true, super: true, asks: true })]
    const facts = await open({ roles }).step('preflight', { adopted: true })
    expect(facts.faults).toEqual([])
    expect(facts.warnings).toEqual([expect.stringMatching(/app is a superuser: services keep/)])
  })
})

describe('the administrator that is adopted', () => {
  const roles = [role('app', { login: true, super: true, asks: true })]
  const { step, ran } = open({ roles, needsPassword: true })

  it('is refused where it logs in with a stored password, which its end would make useless', async () => {
    const { faults } = await step('preflight', { adopted: true })
    expect(faults).toEqual([
      expect.stringMatching(/app is adopted, and is the administrator.*name it in adminUser/),
    ])
  })

  it('keeps its password, whoever asks for its end', async () => {
    const end = step('revoke', { adopted: true, login: { username: 'app', password: '' } })
    await expect(end).rejects.toThrow(/app is adopted, and is the administrator/)
    expect(ran.join('\n')).not.toMatch(/alter role/)
  })
})

describe('a step of a rotation of Postgres', () => {
  it('makes roles where they are missing, and never says a password', async () => {
    const { step, ran } = open({})
    await step('set')
    const all = ran.join('\n')
    expect(all).toMatch(/create role "app" nologin/)
    expect(all).toMatch(/create role "app_a"/)
    expect(all).toMatch(/grant "app" to "app_a"/)
    expect(all).toMatch(/alter role "app_a" in database "shop" set role = 'app'/)
    expect(all).toMatch(/password 'SCRAM-SHA-256\$4096:/)
    expect(all).not.toContain(login.password)
  })

  it('makes nothing again that is there', async () => {
    const { step, ran } = open({ roles: [role('app'), role('app_a')] })
    await step('set')
    expect(ran.join('\n')).not.toMatch(/create role/)
  })

  it('sets no login that does not take turns', async () => {
    const { step, ran } = open({})
    await expect(
      step('set', { adopted: true, login: { ...login, username: 'app' } }),
    ).rejects.toThrow(/none of the roles/)
    expect(ran).toEqual([])
  })

  it.each(tooMuch)('sets nothing with %s', async (_, given, tweak, fault) => {
    const { step, ran } = open(given)
    await expect(step('set', tweak)).rejects.toMatchObject({
      kind: 'Failed',
      message: expect.stringMatching(fault) as string,
    })
    expect(ran.every((query) => /^\s*select/.test(query))).toBe(true)
  })

  it('sets a login that has the rights of the owner that was adopted', async () => {
    const owner = role('app', { super: true, rights: ['pg_monitor'] })
    const { step, ran } = open({ roles: [owner, role('app_a', { rights: ['app'] })] })
    await step('set', { adopted: true })
    expect(ran.join('\n')).toMatch(/alter role "app_a" login/)
  })

  it('has a login tested against a random password', async () => {
    const only = (as: Login) => as.password === login.password
    expect(await open({ accepts: only }).step('test')).toEqual({ accepted: 'accepted' })
    expect(await open({}).step('test')).toEqual({ accepted: 'meaningless' })
    expect(await open({ accepts: () => false }).step('test')).toEqual({ accepted: 'refused' })
    await expect(open({ accepts: only, acts: 'app_a' }).step('test')).rejects.toThrow(
      /acts as app_a and not as the owner app/,
    )
  })

  it('takes login and password of a role away, and its sessions', async () => {
    const { step, ran } = open({ roles: [role('app_b', { login: true })] })
    await step('revoke', { login: { username: 'app_b', password: '' } })
    expect(ran.join('\n')).toMatch(/alter role "app_b" nologin password null/)
    expect(ran.join('\n')).toMatch(/pg_terminate_backend/)
  })

  it('replaces the password of the administrator, who could not log in any more', async () => {
    const { step, ran } = open({ roles: [role('app', { login: true, super: true, asks: true })] })
    await step('revoke', { adopted: true, login: { username: 'app', password: '' } })
    expect(ran.join('\n')).toMatch(/alter role "app" password 'SCRAM-SHA-256/)
    expect(ran.join('\n')).not.toMatch(/nologin/)
  })

  it('ends nothing that is not there, nor the one login whose password is changed in place', async () => {
    const gone = open({})
    await gone.step('revoke')
    expect(gone.ran.join('\n')).not.toMatch(/alter role/)
    const inPlace = open({ roles: [role('app_a', { login: true })] })
    await inPlace.step('revoke', { roles: ['app_a'] })
    await inPlace.step('scramble', { roles: ['app_a'] })
    expect(inPlace.ran).toEqual([])
  })

  it('counts sessions by address, and tells a login that accepts nothing', async () => {
    const used = [
      { address: '10.0.0.7', count: 2 },
      { address: 'local socket', count: 1 },
    ]
    const counted = { sessions: 3, from: ['10.0.0.7', 'local socket'] }
    const roles = [role('app_a', { login: true })]
    expect(await open({ used, roles }).step('stillUsed')).toEqual(counted)
    const ended = { ...counted, ended: true }
    expect(await open({ used, roles: [role('app_a')] }).step('stillUsed')).toEqual(ended)
    expect(await open({ used }).step('stillUsed')).toEqual(ended)
  })
})
