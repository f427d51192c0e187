import { describe, expect, it } from 'vitest'
import { nativeHash, runMariadbStep, type MariadbParams, type MariadbSession } from './mariadb.ts'
import type { Login, Step } from './step.ts'

const login = { username: 'app_a', password: 'the-new-one' }
const params: MariadbParams = { database: 'my_shop', users: ['app_a', 'app_b'], from: '%', login }

const open = (
  texts: Readonly<Record<string, readonly string[]>> = {},
  accepts: (login: Login) => boolean = () => false,
) => {
  const ran: string[] = []
  const session: MariadbSession = {
    texts: (query = '') =>
      Promise.resolve(Object.entries(texts).find(([part]) => query.includes(part))?.[1] ?? []),
    run: (statements) => {
      ran.push(...statements)
      return Promise.resolve()
    },
    logIn: (as) => Promise.resolve(accepts(as)),
  }
  const step = (name: Step, tweak: Partial<MariadbParams> = {}) =>
    runMariadbStep(name, { ...params, ...tweak }, session)
  return { step, ran }
}

describe('a step of a rotation of MariaDB', () => {
  it('says hashes, and means the database by its whole name', async () => {
    const { step, ran } = open()
    await step('set')
    expect(nativeHash('password')).toBe('*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19')
    expect(ran.join('\n')).not.toContain(login.password)
    expect(ran[1]).toContain(`using '${nativeHash(login.password)}' account unlock`)
    expect(ran[2]).toBe('grant all privileges on `my\\_shop`.* to `app_a`@`%`')
  })

  it('locks a user at every host, and ends its sessions', async () => {
    const { step, ran } = open({ 'select Host': ['%', 'localhost'] })
    await step('revoke')
    expect(ran).toEqual([
      expect.stringMatching(/^alter user `app_a`@`%` .* account lock$/),
      expect.stringMatching(/^alter user `app_a`@`localhost` .* account lock$/),
      'kill user `app_a`',
    ])
  })

  it('ends nothing that is not there, nor the one user whose password is changed in place', async () => {
    const { step, ran } = open()
    await step('scramble')
    await open({ 'select Host': ['%'] }).step('revoke', { users: ['app_a'] })
    expect(ran).toEqual([])
  })

  it('sets no user that does not take turns', async () => {
    const set = open().step('set', { adopt: 'old', login: { ...login, username: 'old' } })
    await expect(set).rejects.toThrow(/none of the users/)
  })

  it.each([
    [{}, { database: 'MySQL' }, /MySQL is a database of the server itself/],
    [{ '$.access': ['app_a'] }, {}, /app_a has rights over all databases/],
  ])('gives no rights over the server: %o %o', async (texts, tweak, fault) => {
    const { step, ran } = open({ ...texts, 'version()': ['11.4-MariaDB'] })
    const message = expect.stringMatching(fault) as string
    await expect(step('set', tweak)).rejects.toMatchObject({ kind: 'Failed', message: message })
    expect(ran).toEqual([])
    expect((await step('preflight', tweak)).faults).toContainEqual(message)
  })

  it('has a login tested against a random password, and counts sessions by address', async () => {
    const only = (as: Login) => as.password === login.password
    expect(await open({}, only).step('test')).toEqual({ accepted: 'accepted' })
    expect(await open({}, () => true).step('test')).toEqual({ accepted: 'meaningless' })
    expect(await open().step('test')).toEqual({ accepted: 'refused' })
    const hosts = { PROCESSLIST: ['4 10.0.0.7', '5 10.0.0.7', '6 10.0.0.8', '6 10.0.0.8'] }
    const used = { sessions: 3, from: ['10.0.0.7', '10.0.0.8'] }
    expect(await open({ ...hosts, 'select Host': ['%'] }).step('stillUsed')).toEqual(used)
    expect(await open(hosts).step('stillUsed')).toEqual({ ...used, ended: true })
  })

  it('is refused by a server that is none of its own', async () => {
    const { faults } = await open({ 'version()': ['8.4.0'] }).step('preflight')
    expect(faults).toEqual(['the server is no MariaDB: it says 8.4.0'])
  })
})
