// Keys as an operator works with them: a real Postgres, real containers, and the built programs; a controller that nobody
// kills is in the test's process. A rotation is cut off by kill -9 at random rows while others read and write; then the
// master key moves, a key service goes away and comes back, and an old backup is restored.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { startKmsStandIn, vaultKeyName, type KmsStandIn } from '../support/kms-stand-in.ts'
import { restOf, startLoad, type Rest } from '../support/load.ts'
import {
  controllerReady,
  runCli,
  startProgram,
  startWorld,
  testMasterKey,
  type Program,
  type World,
} from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { createStack, idleService, recreatedBetween, type Stack } from '../support/docker/stack.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { soak } from '../support/soak.ts'
import type { TestDatabase } from '../support/databases/test-database.ts'

/** How often a rotation is cut off. */
const kills = soak(1, 20)
const rows = 250
const loadKeys = 3
const newMasterKey = Buffer.alloc(32, 8).toString('base64')

interface Status {
  provider: string
  key_id: string
  master_key_since: string
  wrapped: { by: string; count: number }[]
  sealed_by_old_keys: number
  oldest_data_key: string
  rotation_due: boolean
  rotations: { id: string; kind: string; state: string; done: number; started_by: string }[]
}

let database: TestDatabase
let db: pg.Client
let world: World
let stack: Stack
let rest: Rest
const env: NodeJS.ProcessEnv = {}

const status = async (): Promise<Status> => {
  const answer = await rest('GET', '/keys')
  expect(answer.status).toBe(200)
  return answer.body as unknown as Status
}

const count = async (sql: string): Promise<number> =>
  Number((await db.query<{ n: string }>(`SELECT count(*) AS n FROM ${sql}`)).rows[0]!.n)

/** What is still sealed under keys that were retired: counted in the tables, not asked of the API. */
const sealedByOldKeys = (): Promise<number> =>
  count('secret_versions v JOIN data_keys k ON k.id = v.data_key_id WHERE k.retired_at IS NOT NULL')

const until = async (what: () => Promise<boolean>, name: string): Promise<void> => {
  const end = Date.now() + 120_000
  while (!(await what())) {
    if (Date.now() > end) throw new Error(`${name}: not within two minutes`)
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
}

/** True once nothing is wrapped by any key but the one that wraps now. */
const isMoved = async (): Promise<boolean> => {
  const { wrapped, key_id: current } = await status()
  return wrapped.every(({ by }) => by.includes(current))
}

/** What is told of the secret whose value the controller made. */
const made = async (): Promise<unknown> => {
  const { body } = await rest('GET', '/projects/default%2Fshop/secrets/made')
  const { version, renewals, services } = body
  return { version, renewals, services }
}

const inSync = (): Promise<string> =>
  world.must('wait', '--for=condition=SecretsInSync', 'stagelet/shop', '--timeout', '120s')

/** The next controller: one that is killed, or that is to end by itself, is a process. */
let next: 'here' | 'process' = 'here'
const startNext = (args: readonly string[], given: NodeJS.ProcessEnv): Promise<Program> =>
  next === 'here'
    ? controllerHere(args, given)
    : startProgram(['controller', ...args], given, controllerReady)

const restart = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
  await world.controller.kill(signal)
  await world.startController()
}

beforeAll(async () => {
  database = await freshDatabase()
  db = new pg.Client({ connectionString: database.url })
  await db.connect()
  stack = await createStack(`services:\n${idleService('web')}${idleService('db')}`)
  // The load and what looks at it share one token.
  const controllerArgs = ['--rate-limit', '0']
  world = await startWorld({
    databaseUrl: database.url,
    controllerEnv: env,
    controllerArgs,
    controllerBy: startNext,
    agentBy: agentHereAfter(1),
  })
  rest = await restOf(world)
  await world.apply(
    projectYaml() +
      secretYaml('SHARED', 'shared-value') +
      secretYaml('WEB_KEY', 'web-value', 'web') +
      stageletYaml(stack.directory, stack.project),
  )
  await rest('POST', '/projects', { name: 'load' })
  const operations = Array.from({ length: rows + loadKeys }, (_, i) => ({
    op: 'create',
    key: i < rows ? `ROW_${i}` : `LOAD_${i - rows}`,
    value: `load value ${i < rows ? i : 0}`,
  }))
  const made = await rest('POST', '/projects/default%2Fload/secrets/batch', { operations })
  expect(made.status).toBe(200)
  // Each row takes its time, so that a kill finds a rotation in the middle of its rows.
  await db.query(`CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.025); RETURN NEW; END $$`)
  await db.query(`CREATE TRIGGER slowly BEFORE UPDATE OF data_key_id ON secret_versions
    FOR EACH ROW EXECUTE FUNCTION slowly()`)
  await inSync()
})
afterAll(async () => {
  await world?.stop()
  await stack?.remove()
  await db?.end()
  await database?.drop()
})

describe('keys of a running controller', () => {
  it('tells how old they are, in the command and as a metric', async () => {
    const shown = await world.must('admin', 'keys', 'status')
    expect(shown).toMatch(/Master key: +local [0-9a-f]{16}, since \d{4}-/)
    expect(shown).toMatch(/Data keys: +2, the oldest since \d{4}-/)
    expect(shown).toMatch(/Sealing key: since \d{4}-.*, due \d{4}-\d\d-\d\d$/m)
    expect(shown).toContain('Rotation:    not due (every 365 days)')
    const { text: metrics } = await world.page('/metrics')
    for (const kind of ['master', 'data', 'sealing'])
      expect(metrics).toMatch(new RegExp(`^stagely_key_age_seconds\\{.*kind="${kind}".*\\} `, 'm'))
  })

  it('warns when the quarter is over, where a quarter was told', async () => {
    const quarter = 91 * 86_400_000
    await db.query('UPDATE counters SET key_since = key_since - $1', [quarter])
    await db.query('UPDATE data_keys SET created_at = created_at - $1', [quarter])
    expect((await status()).rotation_due).toBe(false)
    env.STAGELY_KEY_ROTATION_DAYS = '90'
    env.STAGELY_KEY_ROTATION = 'off'
    await restart()
    expect(await status()).toMatchObject({ rotation_due: true, rotation_days: 90 })
    expect(await world.must('admin', 'keys', 'status')).toContain(
      'Rotation:    DUE (every 90 days)',
    )
    await until(
      async () => (await world.must('get', 'events')).includes('KeyRotationDue'),
      'an event of the data key',
    )
    await until(
      () =>
        Promise.resolve(
          /the master key is from \S+ and 1 day overdue/.test(world.controller.output()),
        ),
      'a log line of the master key',
    )
    expect((await status()).rotations).toEqual([])
  })

  it('replaces data keys that are due by itself, and survives kill -9 in the middle of that under load: nothing fails, nothing is lost, no container restarts', async () => {
    const before = await stack.containers()
    const digests = await db.query('SELECT secret_uid, version, value_digest FROM secret_versions')
    const oldKeys = await db.query<{ id: string }>('SELECT id FROM data_keys')
    const old = `data_key_id = ANY('{${oldKeys.rows.map((row) => row.id).join(',')}}')`
    // Noted as they are written: the rotation seals anew what it finds, so that later nothing shows.
    await db.query(`CREATE TABLE sealed_with (n bigserial, data_key_id text)`)
    await db.query(`CREATE FUNCTION note_key() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO sealed_with (data_key_id) VALUES (NEW.data_key_id); RETURN NEW; END $$`)
    await db.query(`CREATE TRIGGER note_key AFTER INSERT ON secret_versions
      FOR EACH ROW EXECUTE FUNCTION note_key()`)
    const load = startLoad(rest, 'default%2Fload', loadKeys)
    await until(async () => (await count(`sealed_with WHERE ${old}`)) > 0, 'a write of the load')
    delete env.STAGELY_KEY_ROTATION
    next = 'process'
    load.mayBeAway = true
    await restart()
    load.mayBeAway = false
    await until(async () => (await status()).rotations.length > 0, 'a rotation by itself')
    const [{ id, started_by: by } = { id: '', started_by: '' }] = (await status()).rotations
    expect(by).toBe('controller')
    const newest = await db.query<{ n: string }>('SELECT max(n) AS n FROM sealed_with')
    const last = newest.rows[0]!.n
    for (let kill = 0; kill < kills; kill++) {
      const left = await sealedByOldKeys()
      expect(left, 'the rotation is over before it was cut off').toBeGreaterThan(0)
      const at = Math.floor(left * (0.3 + Math.random() * 0.65))
      await until(async () => (await sealedByOldKeys()) <= at, `${at} rows left`)
      if (kill === kills - 1) next = 'here'
      load.mayBeAway = true
      await restart('SIGKILL')
      load.mayBeAway = false
      expect((await status()).rotations.find((one) => one.id === id)?.state).toBeDefined()
    }
    // What is left of it need not be met in its middle.
    await db.query('DROP TRIGGER slowly ON secret_versions')
    await until(
      async () => (await status()).rotations.find((one) => one.id === id)?.state === 'Succeeded',
      'the rotation has ended',
    )
    expect(await sealedByOldKeys()).toBe(0)
    expect((await status()).sealed_by_old_keys).toBe(0)
    const since = `sealed_with WHERE n > ${last}`
    await until(async () => (await count(since)) > 20, 'writes of the load')
    const { reads, writes } = await load.stop()
    // From its first second on nothing was sealed with the old keys.
    expect(await count(`${since} AND ${old}`)).toBe(0)
    await db.query('DROP TRIGGER note_key ON secret_versions')
    await db.query('DROP FUNCTION note_key')
    await db.query('DROP TABLE sealed_with')
    expect(Math.min(reads, writes)).toBeGreaterThan(10)
    console.log(`rotation cut off ${kills} times: ${reads} reads and ${writes} writes, none failed`)
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    const known = new Map(
      (await db.query('SELECT secret_uid, version, value_digest FROM secret_versions')).rows.map(
        (row: { secret_uid: string; version: number; value_digest: string }) =>
          [`${row.secret_uid} ${row.version}`, row.value_digest] as const,
      ),
    )
    for (const row of digests.rows as {
      secret_uid: string
      version: number
      value_digest: string
    }[]) {
      const now = known.get(`${row.secret_uid} ${row.version}`)
      if (now !== undefined) expect(now).toBe(row.value_digest)
    }
    await inSync()
    expect(await world.must('admin', 'keys', 'rotate', '--project', 'shop', '--wait')).toContain(
      'Succeeded',
    )
    delete env.STAGELY_KEY_ROTATION_DAYS
  })

  it('moves to another master key, which then is enough', async () => {
    const before = await stack.containers()
    const old = (await status()).key_id
    await world.must('admin', 'backup', '--to', join(world.dir, 'before.backup'))
    env.STAGELY_SECRET_KEY = newMasterKey
    env.STAGELY_SECRET_KEY_PREVIOUS = testMasterKey
    await restart()
    await until(isMoved, 'the new master key wraps all')
    delete env.STAGELY_SECRET_KEY_PREVIOUS
    await restart()
    const { key_id: now, wrapped } = await status()
    expect(now).not.toBe(old)
    expect(wrapped.map((one) => one.by)).toEqual([`local key ${now}`])
    expect(await world.must('admin', 'keys', 'status')).not.toContain('still needed')
    expect(
      await world.must('secrets', 'get', 'WEB_KEY', '-p', 'shop', '--scope', 'web', '--reveal'),
    ).toBe('web-value')
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  it('makes a new value of a secret that has ended, which re-creates exactly who sees it, once', async () => {
    await world.apply(`apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: { name: made }
spec:
  projectRef: { name: shop }
  key: MADE
  scope: web
  valueFrom: { generate: {} }
  expiry: { after: 90d, onExpiry: Rotate }
`)
    const services = ['shop/web']
    await until(
      async () => JSON.stringify(await made()) === JSON.stringify({ version: 1, services }),
      'the service sees it',
    )
    await inSync()
    const before = await stack.containers()
    await world.controller.kill('SIGTERM')
    await db.query(`UPDATE objects SET body = jsonb_set(body::jsonb, '{status,valueSince}',
      to_jsonb('2026-01-01T00:00:00Z'::text))::json WHERE kind = 'StagelySecret' AND name = 'made'`)
    await world.startController()
    const renewed = JSON.stringify({ version: 2, renewals: 1, services })
    await until(async () => JSON.stringify(await made()) === renewed, 'a new value')
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
  })

  it('is refused at once with a wrong master key, which is told what is needed, and nothing is damaged or made again', async () => {
    const containers = await stack.containers()
    const renewed = await made()
    const { key_id: needed } = await status()
    await world.controller.kill('SIGTERM')
    const tables = 'SELECT * FROM counters, (SELECT count(*) FROM audit) a'
    const before = (await db.query(tables)).rows
    env.STAGELY_SECRET_KEY = Buffer.alloc(32, 99).toString('base64')
    next = 'process'
    await expect(world.startController()).rejects.toThrow(
      new RegExp(`ended with 1\\n[^]*needs local key ${needed}.*nothing was changed`),
    )
    expect((await db.query(tables)).rows).toEqual(before)
    env.STAGELY_SECRET_KEY = newMasterKey
    next = 'here'
    await world.startController()
    await inSync()
    expect(await made()).toEqual(renewed)
    expect(recreatedBetween(containers, await stack.containers())).toEqual([])
  })
})

describe('a key service', () => {
  let service: KmsStandIn
  beforeAll(async () => {
    service = await startKmsStandIn()
  })
  afterAll(() => service?.close())

  it('takes the keys over from the local one, and no container restarts', async () => {
    const before = await stack.containers()
    const refused = await world.cli('admin', 'keys', 'rotate', '--to-provider', 'vault-transit')
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('STAGELY_KEY_PROVIDER=vault-transit'),
    ])
    Object.assign(env, {
      STAGELY_KEY_PROVIDER: 'vault-transit',
      STAGELY_KMS_KEY: vaultKeyName,
      VAULT_ADDR: service.url,
      VAULT_TOKEN: 'vault-token',
    })
    await restart()
    await until(isMoved, 'the service wraps all')
    expect((await status()).provider).toBe('vault-transit')
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
  })

  it('that is down stops no read and no delivery; values are refused, and /readyz tells', async () => {
    const secret = '/projects/default%2Fshop/secrets/shop-web-key.web'
    await rest('POST', `${secret}/reveal`, {})
    service.weather = 'down'
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    const refused = await rest('PATCH', secret, { value: 'while-it-is-down' })
    expect(refused).toMatchObject({ status: 503, body: { reason: 'ServiceUnavailable' } })
    expect(refused.body['detail']).toMatch(
      /^key provider vault-transit .*Nothing was stored: values can be written again/,
    )
    expect((await rest('POST', '/projects', { name: 'another' })).status).toBe(503)
    expect((await rest('GET', secret)).body).toMatchObject({ version: 1 })
    expect((await rest('POST', `${secret}/reveal`, {})).body).toMatchObject({ value: 'web-value' })
    await until(async () => (await world.page('/readyz')).status === 503, '/readyz')
    expect((await world.page('/readyz')).text).toContain('key provider vault-transit')
    // A new process of the agent holds nothing: it gets its secrets without the service.
    await world.agent.kill('SIGKILL')
    const { id } = (await stack.containers())['web']!
    await stack.docker('rm', '-f', id)
    await world.startAgent()
    await until(async () => {
      const found = (await stack.containers())['web']
      return found !== undefined && found.id !== id
    }, 'the container is back')
    expect((await stack.environmentOf('web'))['WEB_KEY']).toBe('web-value')
    service.weather = 'fine'
    await until(
      async () => (await rest('PATCH', secret, { value: 'after-the-outage' })).status === 200,
      'values are taken again',
    )
    await inSync()
    expect((await stack.environmentOf('web'))['WEB_KEY']).toBe('after-the-outage')
    await until(async () => (await world.page('/readyz')).status === 200, '/readyz')
  })
})

describe('an old backup', () => {
  const restore = async (
    more: NodeJS.ProcessEnv = {},
    ...args: string[]
  ): Promise<{ code: number; text: string }> => {
    const file = join(world.dir, 'before.backup')
    const given = { DATABASE_URL: database.url, ...env, ...more }
    const ran = await runCli(['restore', file, '--data-dir', world.controllerDir, ...args], given)
    return { code: ran.code, text: ran.stdout + ran.stderr }
  }

  it('is restored under the key of then, and the agent follows by itself', async () => {
    // By hand: the service goes, and the key of before wraps again.
    for (const name of ['STAGELY_KEY_PROVIDER', 'STAGELY_KMS_KEY']) env[name] = undefined
    const previous = { STAGELY_SECRET_KEY_PREVIOUS: testMasterKey }
    expect((await restore(previous, '--force', '--yes')).text).toMatch(/stop all of them first/)
    await world.controller.kill('SIGTERM')
    const asked = await restore(previous)
    expect([asked.code, asked.text.includes('--force')]).toEqual([1, true])
    const without = await restore({}, '--force', '--yes')
    expect(without.text).toMatch(/the backup of .* needs local key [0-9a-f]{16}/)
    const elsewhere = join(world.dir, 'restored-elsewhere')
    const refused = await restore({ DATABASE_URL: undefined }, '--data-dir', elsewhere)
    expect(refused.text).toMatch(/needs local key [0-9a-f]{16}/)
    expect(existsSync(elsewhere)).toBe(false)
    const done = await restore(previous, '--force', '--yes')
    expect([done.code, done.text]).toEqual([0, expect.stringMatching(/restored \d+ rows .*epoch/)])
    Object.assign(env, previous)
    await world.startController()
    // The container may just be going while it is looked at.
    const running = (): Promise<Record<string, string>> =>
      stack.environmentOf('web').catch(() => ({}))
    await until(
      async () => (await running())['WEB_KEY'] === 'web-value',
      'the value of the backup runs',
    )
    await inSync()
    await world.patchSecret('shop-web-key.web', 'after-the-restore')
    await inSync()
    expect((await stack.environmentOf('web'))['WEB_KEY']).toBe('after-the-restore')
    const audit = await world.must('admin', 'audit', 'list', '--action', 'restore', '-o', 'json')
    expect(audit).toContain('"restore"')
    expect(await world.must('admin', 'audit', 'verify')).toContain('are as they were written')
  })
})
