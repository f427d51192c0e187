// Emergency access as an operator takes it: the built command beside a running controller.
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../../src/audit/record.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { runPage } from '../../support/page-commands.ts'
import { runCli, type Ran } from '../../support/programs/processes.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'

const reason = 'INC-42: the provider of logins is down'
const masterKey = Buffer.alloc(32, 9).toString('base64')

let database: Awaited<ReturnType<typeof freshDatabase>>
let controller: TestController

const breakGlass = (flags: readonly string[], key = masterKey): Promise<Ran> =>
  runCli(['controller', 'break-glass', '--data-dir', controller.dataDir, ...flags], {
    DATABASE_URL: database.url,
    STAGELY_SECRET_KEY: key,
  })

const as = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  controller.call(method, `/api/v1${path}`, {
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  })

beforeAll(async () => {
  database = await freshDatabase()
  controller = await startTestController({ databaseUrl: database.url })
  await as(controller.token, 'POST', '/projects', { name: 'shop' })
  const secret = { key: 'DB', value: 'value-behind-the-glass' }
  await as(controller.token, 'POST', '/projects/default%2Fshop/secrets', secret)
})
afterAll(async () => {
  await controller.remove()
  await database.drop()
})

describe('break-glass access', () => {
  it('is called as its help says', async () => {
    expect((await breakGlass(['--help'])).stdout).toContain('Usage: stagely controller break-glass')
  })

  it('needs a reason, a bounded time and the master key', async () => {
    for (const flags of [
      [],
      ['--reason', 'why'],
      ['--reason', reason, '--ttl', '25h'],
      ['--reason', reason, '--ttl', '0m'],
    ])
      expect((await breakGlass(flags)).code, flags.join(' ')).toBe(2)
    const wrong = await breakGlass(['--reason', reason], Buffer.alloc(32, 1).toString('base64'))
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
    expect(wrong.stderr).toContain('nothing was changed')
  })

  it('opens everything for its time, beside running controllers, and the audit log says why', async () => {
    const ran = await breakGlass(['--reason', reason, '--ttl', '30m'])
    expect(ran.code, ran.stderr).toBe(0)
    const token = ran.stdout.trim()
    expect(token).toMatch(/^sat_[\w-]{43}$/)
    expect((await as(token, 'GET', '/me')).json()).toMatchObject({
      name: 'break-glass',
      admin: true,
    })
    const read = await as(token, 'POST', '/projects/default%2Fshop/secrets/db.global/reveal', {})
    expect(read.json()).toMatchObject({ value: 'value-behind-the-glass' })
    const rows = async (query: string): Promise<AuditRecord[]> =>
      (await as(controller.token, 'GET', `/audit?${query}`)).json<{ rows: AuditRecord[] }>().rows
    const [opened] = await rows('action=break%20glass')
    expect(opened).toMatchObject({
      object: { kind: 'User', name: 'break-glass' },
      detail: { reason },
    })
    const until = Number(opened!.detail!['expiresAt'])
    expect(until - Date.parse(opened!.at)).toBeLessThanOrEqual(1_800_000)
    expect(await rows('by=break-glass&action=reveal')).toMatchObject([
      { detail: { key: 'DB', version: 1 } },
    ])
    const revealed = await as(controller.token, 'GET', '/audit/revealed?by=break-glass')
    expect(revealed.text).toContain('"key":"DB"')
  })

  it('is ended by an admin, and never counts as the last one', async () => {
    const token = (await breakGlass(['--reason', reason])).stdout.trim()
    const disable = (user: string): Promise<Answer> =>
      as(controller.token, 'PATCH', `/users/${user}`, { disabled: true })
    expect((await disable('admin')).status).toBe(409)
    expect((await disable('break-glass')).status).toBe(200)
    expect((await as(token, 'GET', '/me')).status).toBe(401)
    const taken = await as(controller.token, 'POST', '/users', { name: 'break-glass' })
    expect([taken.status, taken.text.includes('reserved')]).toEqual([422, true])
    // The next emergency takes it up again; what was given before stays closed.
    const again = (await breakGlass(['--reason', reason])).stdout.trim()
    expect((await as(again, 'GET', '/me')).status).toBe(200)
    expect((await as(token, 'GET', '/me')).status).toBe(401)
  })

  it('opens an emergency by itself where a policy guards the values, and approves nothing', async () => {
    await as(controller.token, 'POST', '/policies', { name: 'guard', projects: ['shop'] })
    const token = (await breakGlass(['--reason', reason])).stdout.trim()
    const secret = '/projects/default%2Fshop/secrets/db.global/reveal'
    expect((await as(controller.token, 'POST', secret, {})).status).toBe(403)
    const read = await as(token, 'POST', secret, {})
    expect(read.json(), read.text).toMatchObject({ value: 'value-behind-the-glass' })
    const list = await as(controller.token, 'GET', '/access-requests?emergency=true')
    const { requests } = list.json<{ requests: { name: string; reason: string }[] }>()
    expect(requests).toMatchObject([
      { state: 'Active', reason, requester: { name: 'break-glass' }, uses: 1 },
    ])
    const project = await as(controller.token, 'GET', '/projects/default%2Fshop')
    expect(project.text).toContain('values were opened in an emergency')
    const path = `/access-requests/default%2F${requests[0]!.name}/review`
    expect((await as(token, 'PUT', path, { outcome: 'Justified' })).status).toBe(403)
    expect((await as(controller.token, 'PUT', path, { outcome: 'Justified' })).status).toBe(200)
  })

  it('is what docs/operations.md says', async () => {
    await runPage('operations.md', {
      folder: await mkdtemp(join(controller.dataDir, 'page-')),
      part: 'export STAGELY_TOKEN',
      env: {
        DATABASE_URL: database.url,
        STAGELY_SECRET_KEY: masterKey,
        STAGELY_SERVER: controller.url,
        STAGELY_CA_FILE: join(controller.dataDir, 'ca.crt'),
      },
      names: { '/var/lib/stagely': controller.dataDir },
      after: (_, stdout) => {
        expect(stdout).toContain('user/break-glass disabled')
      },
    })
  })
})
