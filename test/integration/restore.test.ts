// An old backup is restored under a running agent: its own process, the real engine, a real Postgres.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { agentHereAfter } from '../support/agents/agent-here.ts'
import { controllerHere } from '../support/programs/controller-here.ts'
import { databaseImage, makeDatabaseImage } from '../support/databases/database-images.ts'
import { eventually } from '../support/eventually.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import { runCli, startWorld, testMasterKey, type World } from '../support/programs/processes.ts'
import { projectYaml, secretYaml, stageletYaml } from '../support/shop.ts'
import { soak } from '../support/soak.ts'
import { createStack, idleService, recreatedBetween, type Stack } from '../support/docker/stack.ts'
import type { TestDatabase } from '../support/databases/test-database.ts'

/** Logs in all the time, once it has a login, and says when it is refused. */
const client = `while :; do if [ -z "$$DB_USER" ] || printf '%s\\nselect 1;\\n' "$$DB_PASSWORD" | psql -XqAtW -h db -U "$$DB_USER" -d bank >/dev/null 2>/tmp/said; then touch /tmp/ok; elif grep -q 'password authentication' /tmp/said; then echo REFUSED; fi; sleep ${soak(1, 0.3)}; done`
const bankStack = `services:
  db:
    image: ${databaseImage('postgres')}
    environment: { POSTGRES_PASSWORD: the-boss, POSTGRES_DB: bank }
    stop_signal: SIGKILL
  teller:
    image: ${databaseImage('postgres')}
    entrypoint: ["/bin/sh", "-c"]
    stop_signal: SIGKILL
    command: [${JSON.stringify(client)}]
    healthcheck: { test: "test -e /tmp/ok", interval: 30s, start_period: 60s, start_interval: 500ms }
`
const rotationYaml = [
  {
    kind: 'Rotation',
    metadata: { name: 'bank-db' },
    spec: {
      projectRef: { name: 'bank' },
      outputs: { username: 'db-user', password: 'db-password' },
      rotator: {
        postgres: {
          in: { stagelet: 'bank', service: 'db' },
          database: 'bank',
          owner: 'app',
          roles: ['app_a', 'app_b'],
        },
      },
    },
  },
  ...(['username', 'password'] as const).map((output) => ({
    kind: 'StagelySecret',
    metadata: { name: output === 'username' ? 'db-user' : 'db-password' },
    spec: {
      projectRef: { name: 'bank' },
      scope: 'teller',
      key: output === 'username' ? 'DB_USER' : 'DB_PASSWORD',
      valueFrom: { rotation: { name: 'bank-db', output } },
    },
  })),
]
  .map((one) => `---\n${JSON.stringify({ apiVersion: 'stagely.dev/v1alpha1', ...one })}\n`)
  .join('')

interface Rotation {
  readonly phase: string
  readonly attempt: number
  readonly slot?: string
  readonly restored?: { readonly state: string }
  readonly conditions: { type: string; status: string; reason: string; message: string }[]
}

describe('an agent whose controller goes back in time', () => {
  let world: World
  let database: TestDatabase
  let stack: Stack
  let bank: Stack

  const value = async (): Promise<string | undefined> =>
    (await stack.environmentOf('web').catch(() => undefined))?.['TOKEN']
  const runs = async (expected: string): Promise<void> => {
    for (let i = 0; (await value()) !== expected; i++) {
      if (i > 600) throw new Error(`web has ${await value()}\n${world.agent.output()}`)
      await realClock.sleep(200)
    }
  }
  const inSync = (name = 'shop'): Promise<string> =>
    world.must('wait', '--for=condition=SecretsInSync', `stagelet/${name}`, '--timeout', '120s')
  const rotation = async (): Promise<Rotation> => {
    const shown = await world.must('get', 'rotation', 'bank-db', '-o', 'json')
    return (JSON.parse(shown) as { status: Rotation }).status
  }
  const teller = async (): Promise<string> =>
    (await bank.environmentOf('teller').catch(() => undefined))?.['DB_USER'] ?? ''
  const roles = async (): Promise<string> => {
    const { id } = (await bank.containers())['db']!
    const query =
      "select string_agg(rolname, ',') from pg_roles where rolcanlogin and rolname like 'app%'"
    return (await bank.docker('exec', id, 'psql', '-XqAtU', 'postgres', '-c', query)).trim()
  }

  beforeAll(async () => {
    await makeDatabaseImage('postgres')
    stack = await createStack(`services:\n${idleService('web')}${idleService('other')}`)
    bank = await createStack(bankStack)
    database = await freshDatabase()
    world = await startWorld({
      controllerBy: controllerHere,
      agentBy: agentHereAfter(1),
      database,
    })
    const yaml = projectYaml() + secretYaml('TOKEN', 'token-of-the-backup', 'web')
    const applied = await world.apply(
      yaml +
        stageletYaml(stack.directory, stack.project) +
        projectYaml('bank') +
        stageletYaml(bank.directory, bank.project, 'bank'),
    )
    expect(applied.code).toBe(0)
    await inSync()
  })
  afterAll(async () => {
    await world?.stop()
    await stack?.remove()
    await bank?.remove()
  })

  it('has a first credential of its database', async () => {
    const listens = async (): Promise<boolean> => {
      const { id = '' } = (await bank.containers())['db'] ?? {}
      return bank.docker('exec', id, 'pg_isready', '-q', '-h', 'db').then(
        () => true,
        () => false,
      )
    }
    await eventually(listens, 60_000).toBe(true)
    expect((await world.apply(rotationYaml)).code).toBe(0)
    await eventually(teller, 60_000).toBe('app_a')
    await inSync('bank')
    expect(await rotation()).toMatchObject({ phase: 'Idle', attempt: 1 })
  })

  it('has new keys when it was told to, and restarts nothing for that', async () => {
    await world.must('admin', 'backup', '--to', join(world.dir, 'old.backup'))
    const before = await stack.containers()
    const rotated = await world.cli('admin', 'agent-keys', 'box', '--timeout', '60s')
    expect(rotated).toMatchObject({ code: 0, stdout: 'agent.stagely.dev/box has new keys\n' })
    expect(await world.must('admin', 'audit', 'list', '--action', 'rotate keys')).toMatch(/box/)
    await world.patchSecret('shop-token.web', 'token-after-the-backup')
    await runs('token-after-the-backup')
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])
  })

  it('runs a credential that the backup does not know, and the one of the backup is dead', async () => {
    await world.must(
      ...['rotation', 'run', 'bank-db', '-p', 'bank', '--without-proof', '--confirm', 'bank-db'],
    )
    await eventually(async () => (await rotation()).attempt, 60_000).toBe(2)
    await eventually(async () => (await rotation()).phase, 60_000).toBe('Idle')
    await eventually(teller, 60_000).toBe('app_b')
    await inSync('bank')
    expect(await roles()).toBe('app_b')
  })

  it('follows the new epoch to the older secrets, with keys that the backup does not know', async () => {
    const before = await stack.containers()
    await world.controller.kill('SIGTERM')
    const args = ['--data-dir', world.controllerDir, '--force', '--yes']
    const restored = await runCli(['restore', join(world.dir, 'old.backup'), ...args], {
      DATABASE_URL: database.url,
      STAGELY_SECRET_KEY: testMasterKey,
    })
    expect(restored.code, restored.stderr).toBe(0)
    expect(await value()).toBe('token-after-the-backup')
    const since = Date.now() / 1000
    await world.startController()
    await runs('token-of-the-backup')
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual(['web'])

    // No container gets the dead credential: what runs stays until there is another one.
    await eventually(async () => (await rotation()).restored?.state, 60_000).toBe('Renewed')
    await eventually(teller, 60_000).toBe('app_a')
    await inSync('bank')
    const created = (await bank.eventsSince(since, ['create'])).map(({ service }) => service)
    expect(created).toEqual(['teller'])
    const end = soak(0, 1) === 1 ? ['run', '--now'] : ['revoke', '--confirm', 'bank-db']
    await world.must(...['rotation', end[0]!, 'bank-db', '-p', 'bank'], ...end.slice(1))
    await eventually(async () => (await rotation()).phase, 150_000).toBe('Idle')
    const { conditions, ...status } = await rotation()
    expect(status).toMatchObject({ attempt: 2, slot: 'app_a', restored: { state: 'Renewed' } })
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'Failed', status: 'False' }))
    const { id } = (await bank.containers())['teller']!
    expect(await bank.docker('logs', id)).not.toContain('REFUSED')
    // What ran until then has ended, though nobody knows its password any more.
    expect(await roles()).toBe('app_a')
    expect(await world.must('rotation', 'history', 'bank-db', '-p', 'bank')).toMatch(
      /CredentialRefused/,
    )
  })

  it('takes what is written after that, also when it starts anew', async () => {
    await world.patchSecret('shop-token.web', 'token-after-the-restore')
    await runs('token-after-the-restore')
    await inSync()
    const before = await stack.containers()
    await world.agent.kill('SIGKILL')
    await world.startAgent()
    await inSync()
    expect(recreatedBetween(before, await stack.containers())).toEqual([])
    await world.patchSecret('shop-token.web', 'token-of-the-new-start')
    await runs('token-of-the-new-start')
  })
})
