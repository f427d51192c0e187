import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { defined } from '../kernel/defined.ts'
import { runRedisStep, type RedisSession } from './redis.ts'
import type { Login, Step } from './step.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const old = { username: 'app', password: 'the-old' }
const next = { username: 'app', password: 'the-next' }

/** A server that knows one user, of all rights. */
interface Given {
  readonly aclFile?: string
  readonly save?: string
  readonly nopass?: boolean
  readonly role?: string
  readonly client?: string
}
const open = (given: Given = {}) => {
  const { aclFile = '/data/users.acl', save = 'OK', nopass = false, role = 'master' } = given
  const { client = '1' } = given
  const hashes = new Set([hash(old.password)])
  const ran: string[][] = []
  const answer = (command: readonly string[]): string[] => {
    ran.push([...command])
    const [verb, second, user, ...rules] = command
    if (verb === 'ACL' && second === 'LIST')
      return [
        `user app on ${nopass ? 'nopass ' : ''}${[...hashes].map((h) => `#${h}`).join(' ')} +@all`,
      ]
    if (second === 'SETUSER' && user === 'app') {
      for (const rule of rules) {
        if (rule.startsWith('#')) hashes.add(rule.slice(1))
        if (rule.startsWith('!')) hashes.delete(rule.slice(1))
      }
      return ['OK']
    }
    if (verb === 'CONFIG' && second === 'GET') return ['aclfile', aclFile]
    if (verb === 'CLIENT') return [client]
    if (verb === 'INFO') return second === 'server' ? ['config_file:'] : [`role:${role}`]
    return [save]
  }
  const session: RedisSession = {
    ask: (login, commands) =>
      Promise.resolve(
        login === undefined || !hashes.has(hash(login.password)) ? undefined : commands.map(answer),
      ),
    command: ['redis-server'],
    lasts: (path) => path.startsWith('/data/'),
  }
  const step = (name: Step, login = next, admins = [old], current?: Login) =>
    runRedisStep(name, { user: 'app', login, admins, ...defined({ current }) }, session)
  return { step, ran, hashes }
}

describe('a step of a rotation of Redis', () => {
  it('says hashes to the server, and saves what it has changed', async () => {
    const { step, ran, hashes } = open()
    await step('set')
    expect(hashes).toEqual(new Set([hash(old.password), hash(next.password)]))
    expect(JSON.stringify(ran)).not.toMatch(/the-next|the-old/)
    expect(ran.at(-1)).toEqual(['ACL', 'SAVE'])
    const before = ran.length
    await step('set')
    expect(ran.slice(before).flat()).not.toContain('SETUSER')
  })

  it('rewrites the configuration where there is no file of users', async () => {
    const { step, ran } = open({ aclFile: '' })
    await step('set')
    expect(ran.at(-1)).toEqual(['CONFIG', 'REWRITE'])
  })

  it('changes back what cannot be saved', async () => {
    const { step, hashes } = open({ save: 'ERR the file cannot be written' })
    await expect(step('set')).rejects.toMatchObject({
      kind: 'Failed',
      message: expect.stringMatching(/changed back: ERR the file cannot be written/) as string,
    })
    expect(hashes).toEqual(new Set([hash(old.password)]))
  })

  it('ends a password, which may be asked for again by who has the other one', async () => {
    const { step, hashes } = open()
    await step('set')
    await step('revoke', old, [next])
    await step('revoke', old, [next])
    expect(hashes).toEqual(new Set([hash(next.password)]))
    expect(await step('look', old, [next])).toEqual({ accepted: 'refused' })
  })

  it('ends the sessions of the user with its old password, and none where a new one is taken back', async () => {
    const { step, ran } = open()
    const killed = (): string[][] => ran.filter(([verb]) => verb === 'CLIENT')
    await step('set')
    await step('scramble', next)
    expect(killed()).toEqual([])
    await step('set')
    await step('revoke', old, [next])
    expect(killed()).toEqual(
      ['normal', 'pubsub'].map((type) => [
        ...['CLIENT', 'KILL', 'TYPE', type, 'USER', 'app', 'SKIPME', 'yes'],
      ]),
    )
    const without = open({ client: 'NOPERM this user has no permissions' })
    await without.step('set')
    await expect(without.step('revoke', old, [next])).rejects.toMatchObject({
      message: expect.stringMatching(/its sessions go on.*NOPERM.*the right to CLIENT/) as string,
    })
  })

  it('warns of passwords that no output holds, which stay valid', async () => {
    const { step } = open()
    expect(await step('preflight', next, [old], old)).toEqual({ faults: [], warnings: [] })
    expect(await step('preflight')).toEqual({
      faults: [],
      warnings: [expect.stringMatching(/^user app has a password that no output holds/)],
    })
  })

  it.each([
    [{ nopass: true }, /user app needs no password/],
    [{ role: 'slave' }, /is a replica/],
    [{ aclFile: '/srv/users.acl' }, /\/srv\/users.acl is on no volume/],
    [{ aclFile: '' }, /neither an aclfile nor a file of its configuration/],
  ] as const)('is not begun with %o', async (given, fault) => {
    const { faults } = await open(given).step('preflight')
    expect(faults).toEqual([expect.stringMatching(fault)])
  })

  it('says so where nobody may change passwords', async () => {
    const { step } = open()
    await expect(step('set', next, [{ ...old, password: 'wrong' }])).rejects.toMatchObject({
      kind: 'Failed',
      message: expect.stringMatching(
        /\(app is refused\): name .* adminUser and adminRef/,
      ) as string,
    })
  })
})
