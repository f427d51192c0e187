// What the store promises of users, members and tokens.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  secretOf,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

export const peopleContract = (name: string, open: OpenStore): void => {
  describe(`people on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    let count = 0
    beforeAll(async () => {
      t = await open({ clock })
      await t.users.create(api, { name: 'root', admin: true })
    })
    afterAll(() => t.destroy())

    const aTeam = async (): Promise<string> => {
      const team = `crew-${++count}`
      const metadata = { name: team }
      await createAs(t.store, api, { apiVersion: 'v1', kind: 'Namespace', metadata })
      return team
    }
    const aUser = async (): Promise<string> => {
      const user = `user-${++count}`
      await t.users.create(api, { name: user, email: `${user}@Example.com` })
      return user
    }
    const auditOf = async (kind: string, of: string): Promise<string[]> => {
      const rows = await t.sql.query<{ action: string }>(
        'SELECT action FROM audit WHERE kind = $1 AND name = $2 ORDER BY id',
        [kind, of],
      )
      return rows.map((row) => row.action)
    }

    it('keeps users by a name and an e-mail address of their own, and audits each change', async () => {
      const user = await aUser()
      expect(await t.users.get(`${user}@example.COM`)).toMatchObject({ name: user, admin: false })
      await expect(t.users.create(api, { name: user })).rejects.toMatchObject({
        reason: 'AlreadyExists',
      })
      await expect(
        t.users.create(api, { name: 'other', email: `${user}@example.com` }),
      ).rejects.toMatchObject({ reason: 'AlreadyExists' })
      await expect(t.users.create(api, { name: 'machine:x/y', email: 'no' })).rejects.toMatchObject(
        {
          reason: 'Invalid',
          details: { faults: [{ field: 'name' }, { field: 'email' }] },
        },
      )
      await t.users.update(api, user, { displayName: 'Ann', email: null })
      await t.users.update(api, user, { displayName: 'Ann' })
      expect(await t.users.get(user)).toMatchObject({ displayName: 'Ann', email: undefined })
      const other = user.toUpperCase()
      await expect(t.users.create(api, { name: other })).rejects.toMatchObject({
        reason: 'AlreadyExists',
        message: `user "${user}" already exists: choose another name`,
      })
      await expect(t.users.create(api, { name: 'Controller' })).rejects.toMatchObject({
        reason: 'Invalid',
      })
      expect(await t.users.get(other)).toMatchObject({ name: user })
      await t.users.remove(api, user)
      await expect(t.users.get(user)).rejects.toMatchObject({ reason: 'NotFound' })
      expect(await auditOf('User', user)).toEqual(['create user', 'update user', 'delete user'])
    })

    it('does not let the last admin go', async () => {
      for (const attempt of [
        t.users.update(api, 'root', { admin: false }),
        t.users.update(api, 'root', { disabled: true }),
        t.users.remove(api, 'root'),
      ])
        await expect(attempt).rejects.toMatchObject({ reason: 'Conflict' })
      const second = await aUser()
      await t.users.update(api, second, { admin: true })
      await t.users.update(api, second, { admin: false })
      expect(await t.users.get('root')).toMatchObject({ admin: true, disabled: false })
    })

    it('gives a member one role in a team, which ends with the team', async () => {
      const [team, user] = [await aTeam(), await aUser()]
      await t.members.put(api, team, user, { role: 'viewer' })
      await t.members.put(api, team, user, { role: 'viewer' })
      await t.members.put(api, team, `${user}@example.com`, { role: 'owner' })
      const { id } = await t.users.get(user)
      expect(await t.members.list(team)).toMatchObject([{ user, role: 'owner', fromGroup: false }])
      expect(await t.members.teamsOf(id)).toEqual([{ team, role: 'owner' }])
      expect(await auditOf('Member', user)).toEqual(['add member', 'change role'])
      await t.store.write(api, {}, (tx) =>
        tx.remove({ kind: 'Namespace', namespace: '', name: team }),
      )
      await t.store.compact(clock.now())
      expect(await t.members.teamsOf(id)).toEqual([])
      await createAs(t.store, api, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: team },
      })
      expect(await t.members.list(team)).toEqual([])
      await expect(t.members.remove(api, team, user)).rejects.toMatchObject({ reason: 'NotFound' })
      await expect(t.members.put(api, 'nowhere', user, { role: 'viewer' })).rejects.toMatchObject({
        reason: 'NotFound',
      })
    })

    it('lets the last owner of a team not go by himself', async () => {
      const [team, user, second] = [await aTeam(), await aUser(), await aUser()]
      await t.members.put(api, team, user, { role: 'owner' })
      const himself = { ...api, id: (await t.users.get(user)).id, name: user }
      const isRefused = {
        reason: 'Conflict',
        message: expect.stringContaining('the last owner') as string,
      }
      await expect(t.members.put(himself, team, user, { role: 'viewer' })).rejects.toMatchObject(
        isRefused,
      )
      await expect(t.members.remove(himself, team, user)).rejects.toMatchObject(isRefused)
      await t.members.put(himself, team, user, { role: 'owner' })
      await t.members.put(himself, team, second, { role: 'owner' })
      await t.members.put(himself, team, user, { role: 'viewer' })
      // An admin has every team.
      await t.members.remove(api, team, second)
      expect(await t.members.list(team)).toMatchObject([{ user, role: 'viewer' }])
    })

    it('tells users of before apart that differ by case only', async () => {
      const user = await aUser()
      const other = user.toUpperCase()
      await t.sql.query(
        'INSERT INTO users (id, name, admin, created_at) VALUES (gen_random_uuid(), $1, false, 0)',
        [other],
      )
      expect((await t.users.get(user)).name).toBe(user)
      expect((await t.users.get(other)).name).toBe(other)
      await expect(t.users.get(user.replace('u', 'U'))).rejects.toMatchObject({
        reason: 'Conflict',
      })
      await t.users.remove(api, other)
    })

    it('logs a person in with the roles that he has now', async () => {
      const [team, user] = [await aTeam(), await aUser()]
      const { secret, token } = await t.tokens.create(api, { user }, { name: 'laptop' })
      expect(secret).toMatch(/^spt_[A-Za-z0-9_-]{43}$/)
      expect(token).toMatchObject({ kind: 'personal', owner: user, hint: secret.slice(0, 8) })
      expect(await t.principals.verify(secret)).toMatchObject({ name: user, roles: new Map() })
      await t.members.put(api, team, user, { role: 'developer' })
      expect(await t.principals.verify(secret)).toEqual({
        id: (await t.users.get(user)).id,
        name: user,
        kind: 'user',
        admin: false,
        roles: new Map([[team, 'developer']]),
        tokenId: token.id,
      })
      await t.users.update(api, user, { disabled: true })
      expect(await t.principals.verify(secret)).toBeUndefined()
      expect(await t.principals.refusalOf(secret)).toMatchObject({
        why: 'UserDisabled',
        actorName: user,
      })
      await t.users.update(api, user, { disabled: false })
      expect(await t.principals.verify(secret)).toMatchObject({ name: user })
      await t.tokens.revoke(api, { user }, 'laptop')
      expect(await t.principals.verify(secret)).toBeUndefined()
      expect(await t.principals.refusalOf(secret)).toMatchObject({ why: 'TokenRevoked' })
      expect(await auditOf('Token', 'laptop')).toEqual(['create token', 'revoke token'])
    })

    it('ends a session that rests for an hour, or is half a day old, whatever streams it has', async () => {
      const user = await aUser()
      const { token } = await t.tokens.create(api, { user }, { name: 'laptop' })
      const { id } = await t.users.get(user)
      const person = { id, name: user, tokenId: token.id }
      const browser = { address: '192.0.2.7', name: 'Firefox on Linux' }
      const minute = 60_000
      const { secret, session } = await t.sessions.openByToken(api, person, browser)
      expect(secret).toMatch(/^sst_[A-Za-z0-9_-]{43}$/)
      expect(await t.tokens.list({ user })).toHaveLength(1)
      const begun = clock.now()
      const verify = (isRequest = true): Promise<unknown> => t.principals.verify(secret, isRequest)
      while (clock.now() < begun + 11.5 * 3_600_000) {
        clock.step(50 * minute)
        expect(await verify()).toMatchObject({ tokenId: session.id })
      }
      clock.step(30 * minute)
      expect(await verify()).toBeUndefined()
      expect(await t.principals.refusalOf(secret)).toMatchObject({ why: 'TokenExpired' })
      const resting = await t.sessions.openByToken(api, person, browser)
      clock.step(50 * minute)
      // An open stream is checked now and then.
      expect(await t.principals.verify(resting.secret, false)).toBeDefined()
      clock.step(10 * minute)
      expect(await t.sessions.list(id)).toEqual([])
      expect(await t.principals.verify(resting.secret)).toBeUndefined()
      await t.store.compact(clock.now() + 2 * 86_400_000)
      const left = await t.sql.query('SELECT 1 FROM tokens WHERE is_session')
      expect(left).toEqual([])
    })

    it('stores no token, only what it hashes to', async () => {
      const user = await aUser()
      const { secret } = await t.tokens.create(api, { user }, { name: 'laptop' })
      const tables = await Promise.all([
        t.sql.query('SELECT * FROM tokens'),
        t.sql.query('SELECT * FROM audit'),
      ])
      expect(JSON.stringify(tables)).not.toContain(secret.slice(8))
    })

    it('takes away by scopes, from an admin too', async () => {
      const spec = { name: `scoped-${++count}`, readOnly: true, namespaces: ['a'] }
      const { secret } = await t.tokens.create(api, { user: 'root' }, spec)
      expect(await t.principals.verify(secret)).toMatchObject({
        admin: false,
        limits: { readOnly: true, namespaces: ['a'], ofAdmin: true },
      })
    })

    it('logs a machine in with its one role in its one team', async () => {
      const team = await aTeam()
      await expect(t.tokens.create(api, { team }, { name: 'ci' })).rejects.toMatchObject({
        reason: 'Invalid',
        details: { faults: [{ field: 'role', reason: 'FieldValueRequired' }] },
      })
      const { secret, token } = await t.tokens.create(
        api,
        { team },
        { name: 'ci', role: 'developer' },
      )
      expect(secret).toMatch(/^smt_/)
      expect(await t.principals.verify(secret)).toEqual({
        id: token.id,
        name: `machine:${team}/ci`,
        kind: 'machine',
        admin: false,
        roles: new Map([[team, 'developer']]),
        tokenId: token.id,
      })
      await expect(
        t.tokens.create(api, { team }, { name: 'ci', role: 'viewer' }),
      ).rejects.toMatchObject({ reason: 'AlreadyExists' })
      await expect(t.tokens.revoke(api, { team: 'default' }, token.id)).rejects.toMatchObject({
        reason: 'NotFound',
      })
      expect(await t.tokens.list({ team })).toMatchObject([{ name: 'ci', kind: 'machine' }])
    })

    it('ends a token at its time, and notes its use once a minute', async () => {
      const user = await aUser()
      const spec = { name: 'short', expiresAt: clock.now() + 300_000 }
      const { secret } = await t.tokens.create(api, { user }, spec)
      const lastUsed = async (): Promise<number | undefined> =>
        (await t.tokens.list({ user }))[0]?.lastUsedAt
      expect(await lastUsed()).toBeUndefined()
      await t.principals.verify(secret)
      const first = await lastUsed()
      expect(first).toBe(clock.now())
      clock.step(59_000)
      await t.principals.verify(secret)
      expect(await lastUsed()).toBe(first)
      clock.step(1_000)
      await t.principals.verify(secret)
      expect(await lastUsed()).toBe(clock.now())
      clock.step(240_000)
      expect(await t.principals.verify(secret)).toBeUndefined()
    })

    it('tells of each change after it is stored', async () => {
      const user = await aUser()
      const { secret } = await t.tokens.create(api, { user }, { name: 'laptop' })
      const seen: Promise<unknown>[] = []
      const stop = t.principals.onChange(() => seen.push(t.principals.verify(secret)))
      await t.users.update(api, user, { disabled: true })
      // Older changes may be told late by the database; the last one knows of this one.
      await expect.poll(async () => seen.length > 0 && (await seen.at(-1)) === undefined).toBe(true)
      stop()
    })

    it('are forgotten by nobody for a login code that is not there, which anybody may send', async () => {
      await realClock.sleep(300) // what changed before is told by then
      let told = 0
      const stop = t.principals.onChange(() => told++)
      const guess = t.logins.exchange('c'.repeat(43), 'v'.repeat(43), { name: 'guess', ttlMs: 1 })
      await expect(guess).rejects.toMatchObject({ reason: 'Unauthorized' })
      await realClock.sleep(100)
      stop()
      expect(told).toBe(0)
    })

    it('have change sets of their own: nobody closes what another calls the same', async () => {
      const [mine, theirs] = [await createShop(t.store), await createShop(t.store)]
      const write = (
        id: string,
        ns: string,
        { last, name }: { last: boolean; name: string },
      ): Promise<unknown> =>
        t.store.write({ ...api, id }, { changeSet: { id: 'deploy', last } }, (tx) =>
          tx.create(secretOf(ns, name, { value: name })),
        )
      const closed = async ({ projectUid }: { projectUid: string }): Promise<number> =>
        (await t.store.revisionsOf(projectUid)).closed
      await write('me', mine.ns, { last: false, name: 'one' })
      await write('they', theirs.ns, { last: true, name: 'other' })
      expect([await closed(mine), await closed(theirs)]).toEqual([0, 1])
      await write('me', mine.ns, { last: true, name: 'two' })
      expect(await closed(mine)).toBe(1)
    })

    it('keep back a write of somebody else for five seconds, and one of their own for longer', async () => {
      const shop = await createShop(t.store)
      const write = (id: string, name: string, last?: boolean): Promise<unknown> =>
        t.store.write(
          { ...api, id },
          last === undefined ? {} : { changeSet: { id: 'mine', last } },
          (tx) => tx.create(secretOf(shop.ns, name, { value: name })),
        )
      const closed = async (): Promise<number> => {
        await t.store.closeDueRevisions(clock.now())
        return (await t.store.revisionsOf(shop.projectUid)).closed
      }
      await write('slow', 'one', false)
      clock.step(10_000)
      await write('slow', 'aside')
      expect(await closed()).toBe(0)
      await write('urgent', 'other', true)
      clock.step(4_000)
      // More of the first one does not put it off.
      await write('slow', 'two', false)
      expect(await closed()).toBe(0)
      clock.step(1_000)
      expect(await closed()).toBe(1)
      await write('slow', 'three', true)
      expect(await closed()).toBe(2)
    })
  })
}

/** Two controllers on one server. */
export const peopleOnTwoControllers = (open: OpenStore): void => {
  it('a second controller hears of a change by the database', async () => {
    const t = await open({ clock: createSteppedClock() })
    try {
      const other = await t.again()
      await t.users.create(api, { name: 'root', admin: true })
      const heard = new Promise<void>((resolve) => other.principals.onChange(resolve))
      await t.tokens.create(api, { user: 'root' }, { name: 'laptop' })
      await heard
      expect(await other.tokens.list({ user: 'root' })).toMatchObject([{ name: 'laptop' }])
    } finally {
      await t.destroy()
    }
  })
}
