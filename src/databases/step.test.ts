import { describe, expect, it } from 'vitest'
import { mariadbParams, runMariadbStep } from './mariadb.ts'
import { postgresParams, runPostgresStep } from './postgres.ts'
import { redisParams, runRedisStep } from './redis.ts'
import { steps, type Login } from './step.ts'

const untouched = (): never => {
  throw new Error('the database is asked')
}
const session = {
  needsPassword: false,
  rows: untouched,
  run: untouched,
  loginRows: untouched,
  texts: untouched,
}
const closed = { ...session, logIn: untouched, ask: untouched, command: [], lasts: () => true }
const roles = ['app_a', 'app_b']
const from = '%'

describe('a step of a rotation', () => {
  it.each(steps.filter((step) => step !== 'preflight'))(
    '%s is for a login of the rotation alone, whatever its outputs hold',
    async (step) => {
      const login: Login = { username: 'other_app', password: 'x' }
      const refused = {
        kind: 'Failed',
        message: expect.stringMatching(/other_app is no login/) as string,
      }
      const postgres = { database: 'shop', owner: 'app', roles, login }
      await expect(runPostgresStep(step, postgres, closed)).rejects.toMatchObject(refused)
      const owner = { ...postgres, login: { ...login, username: 'app' } }
      await expect(runPostgresStep(step, owner, closed)).rejects.toThrow(/app is no login/)
      const mariadb = { database: 'shop', users: roles, from, adopt: 'app', login }
      await expect(runMariadbStep(step, mariadb, closed)).rejects.toMatchObject(refused)
      if (step === 'stillUsed') return
      await expect(
        runRedisStep(step, { user: 'app', admins: [], login }, closed),
      ).rejects.toMatchObject(refused)
    },
  )

  it.each(['a\nb', 'a\rb', 'a\0b', 'x\n\\! id'])(
    'takes no name or password of two lines: %j',
    (text) => {
      const login = { username: 'app_a', password: text }
      const named = { username: text, password: '' }
      for (const account of [login, named]) {
        const all = [
          postgresParams.safeParse({ database: 'shop', owner: 'app', roles, login: account }),
          mariadbParams.safeParse({ database: 'shop', users: roles, from, login: account }),
          redisParams.safeParse({ user: 'app', admins: [], login: account }),
          redisParams.safeParse({ user: 'app', admins: [account] }),
        ]
        expect(all.map(({ success }) => success)).toEqual([false, false, false, false])
      }
    },
  )
})
