// Steps of rotations in containers of real databases: what an agent does there, and what the servers accept after it.
import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFailed } from 'vitest'
import { createKnownValues } from '../../agent/logs/known-values.ts'
import { findContainer, type Ran } from '../../agent/tasks/container.ts'
import { createTaskRuns, type TaskRuns } from '../../agent/tasks/tasks.ts'
import { openRotator } from '../../controller/rotators/providers/open-rotator.ts'
import type { RunTask } from '../../controller/rotators/providers/rotator.ts'
import { defined } from '../../src/kernel/defined.ts'
import { createEgress } from '../../controller/egress/gate.ts'
import { parseRules } from '../../controller/egress/rules.ts'
import {
  postgresOverNetwork,
  type PostgresAt,
} from '../../controller/rotators/providers/postgres-session.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { StepFault, type Facts, type Login, type Step } from '../../src/databases/step.ts'
import type { RotationStatus } from '../../src/kinds/rotation/schema.ts'
import { taskReport, type TaskReport } from '../../src/protocol/tasks.ts'
import { certificateUntil } from '../support/http/certificates.ts'
import { databaseImage, makeDatabaseImage } from '../support/databases/database-images.ts'
import { engine } from '../support/docker/docker.ts'
import { openTestStore, type TestStore } from '../support/databases/open-test-store.ts'
import { RotationWorld } from '../support/docker/rotation-world.ts'
import { createRandom } from '../support/random.ts'
import { soak } from '../support/soak.ts'
import { createStack, type Stack } from '../support/docker/stack.ts'
import { createSteppedClock } from '../support/databases/store-fixtures.ts'

const compose = `services:
  pg:
    image: ${databaseImage('postgres')}
    environment: { POSTGRES_PASSWORD: the-boss, POSTGRES_DB: shop }
    volumes: ['./tls:/tls']
    stop_signal: SIGKILL
  adopted:
    image: ${databaseImage('postgres')}
    environment: { POSTGRES_USER: app, POSTGRES_PASSWORD: as-in-env, POSTGRES_DB: shop }
    stop_signal: SIGKILL
  open:
    image: ${databaseImage('postgres')}
    environment: { POSTGRES_PASSWORD: x, POSTGRES_DB: shop, POSTGRES_HOST_AUTH_METHOD: trust }
    stop_signal: SIGKILL
  redis:
    image: ${databaseImage('redis')}
    command: ['redis-server', '/etc/redis/redis.conf']
    volumes: ['./redis:/etc/redis']
    stop_signal: SIGKILL
  valkey:
    image: ${databaseImage('valkey')}
    command: ['valkey-server', '--aclfile', '/data/users.acl']
    volumes: ['./valkey:/data']
    stop_signal: SIGKILL
  bare:
    image: ${databaseImage('redis')}
    command: ['redis-server', '--requirepass', 'in-the-command']
    stop_signal: SIGKILL
  maria:
    image: ${databaseImage('mariadb')}
    environment: { MARIADB_ROOT_PASSWORD: the-root, MARIADB_DATABASE: shop }
    stop_signal: SIGKILL
`

const postgres = { database: 'shop', owner: 'app', roles: ['app_a', 'app_b'] }

describe('a task in the container of a database', () => {
  let stack: Stack
  let tasks: TaskRuns
  let ca: string
  const ending = new AbortController()
  const reports = new Map<string, TaskReport>()

  const ask = async (
    plugin: string,
    service: string,
    step: Step,
    params: object,
  ): Promise<TaskReport> => {
    const id = randomUUID()
    const place = { rotation: 'r', attempt: '1', stageletUid: 'uid', service, plugin, step }
    tasks.start({ type: 'task', id, ...place, params: { ...params } })
    await expect.poll(() => reports.has(id), { interval: 10 }).toBe(true)
    return reports.get(id)!
  }
  const facts = async (...args: Parameters<typeof ask>): Promise<Facts> => {
    const { facts: found, fault } = await ask(...args)
    expect(fault).toBeUndefined()
    return defined(found!)
  }
  const run = async (from: string, command: string[], input: string): Promise<Ran> => {
    const place = { project: stack.project, service: from }
    const bound = linkedAbort(ending.signal, AbortSignal.timeout(120_000))
    try {
      return await (await findContainer(engine, place, bound.signal)).run(command, input)
    } finally {
      bound.abort()
    }
  }
  const psql = (service: string, user: string): string[] => [
    ...['psql', '-XqAtW', '-v', 'ON_ERROR_STOP=1', '-h', service, '-U', user, '-d', 'shop'],
  ]
  /** A client that logs in again and again, and is gone at once. */
  const shortly = (logIn: string): string[] => [
    ...['sh', '-c', `read -r password; for n in $(seq 20); do ${logIn} || exit 1; sleep 0.2; done`],
  ]
  /** What a service of the stack prints that logs in. */
  const asService = async (
    service: string,
    { username, password }: Login,
    sql: string,
  ): Promise<string> => {
    const ran = await run(service, psql(service, username), `${password}\n${sql}\n`)
    return ran.exitCode === 0 ? ran.stdout.trim() : 'refused'
  }
  const ready = (plugin: string, service: string, params: object): Promise<void> =>
    expect
      .poll(async () => (await ask(plugin, service, 'preflight', params)).fault, { interval: 200 })
      .toBeUndefined()

  beforeAll(async () => {
    for (const name of ['postgres', 'redis', 'valkey', 'mariadb'] as const)
      await makeDatabaseImage(name)
    stack = await createStack(compose)
    for (const folder of ['tls', 'redis', 'valkey']) await mkdir(join(stack.directory, folder))
    const { pem, keyPem } = await certificateUntil(realClock.now() + 86_400_000, ['db.test'])
    ca = pem
    await writeFile(join(stack.directory, 'tls/chain.pem'), pem)
    await writeFile(join(stack.directory, 'tls/key.pem'), keyPem)
    await writeFile(join(stack.directory, 'redis/redis.conf'), 'requirepass as-in-env\nsave ""\n')
    await writeFile(
      join(stack.directory, 'valkey/users.acl'),
      'user default on nopass ~* &* +@all\nuser app on >as-in-env ~* &* +@all -@admin\n',
    )
    await stack.keepTree()
    await stack.compose('up', '-d')
    const known = createKnownValues()
    tasks = createTaskRuns({
      engine,
      clock: realClock,
      log: silentLogger,
      allowed: true,
      sourceOf: () => known.sourceOf({ project: stack.project, ending: new AbortController() }),
      client: {
        post: ({ body }) => {
          const report = taskReport.parse(body)
          reports.set(report.id, report)
          return Promise.resolve({ state: 'taken' })
        },
      },
    })
  }, 120_000)
  afterAll(async () => {
    tasks?.stop()
    ending.abort()
    await stack?.keepTree()
    await stack?.remove()
  })

  it('changes the login of Postgres by turns, and the log of statements holds no password', async () => {
    const [a, b] = [
      { username: 'app_a', password: 'password-of-a-1' },
      { username: 'app_b', password: 'password-of-b-2' },
    ]
    await ready('postgres', 'pg', postgres)
    const step = (name: Step, login: Login) => facts('postgres', 'pg', name, { ...postgres, login })
    expect(await step('preflight', a)).toEqual({ faults: [], warnings: [] })
    expect(await step('look', a)).toEqual({ accepted: 'refused' })
    for (const login of [a, a, b]) await step('set', login)
    const reader = { ...postgres, owner: 'pg_execute_server_program', login: a }
    expect((await ask('postgres', 'pg', 'set', reader)).fault).toMatchObject({ kind: 'Failed' })
    expect(await step('look', a)).toEqual({ accepted: 'accepted' })
    expect(await step('test', a)).toEqual({ accepted: 'accepted' })
    expect(await step('look', { ...a, password: 'another' })).toEqual({ accepted: 'refused' })
    await asService('pg', a, 'create table by_a (n int); insert into by_a values (1)')
    await asService('pg', b, 'create table by_b (n int); alter table by_a add m int')
    expect(await asService('pg', a, 'drop table by_b; select n from by_a')).toBe('1')
    const grab = 'alter role app_b password $$x$$'
    expect(await asService('pg', a, grab)).toBe('refused')
    expect(await step('look', b)).toEqual({ accepted: 'accepted' })
    expect(await step('stillUsed', a)).toEqual({ sessions: 0, from: [] })
    const visit = 'psql -Xq -h pg -U app_a -d shop -c "select pg_sleep(0.05)"'
    const visits = run('open', shortly(`PGPASSWORD=$password ${visit}`), `${a.password}\n`)
    const watched = await facts('postgres', 'pg', 'stillUsed', {
      ...postgres,
      login: a,
      watchMs: 3_000,
    })
    expect(watched).toMatchObject({ watchedMs: 3_000, from: [expect.any(String)] })
    expect(await visits).toMatchObject({ exitCode: 0 })

    const session = run('open', psql('pg', 'app_a'), `${a.password}\nselect pg_sleep(60);\n`)
    await expect.poll(() => step('stillUsed', a)).toMatchObject({ sessions: 1 })
    const { from } = await step('stillUsed', a)
    const elsewhere = await findContainer(
      engine,
      { project: stack.project, service: 'open' },
      ending.signal,
    )
    expect(from).toEqual([elsewhere.address])
    await step('revoke', a)
    await step('revoke', a)
    expect((await session).exitCode).toBe(2)
    expect(await step('look', a)).toEqual({ accepted: 'refused' })
    expect(await asService('pg', a, 'select 1')).toBe('refused')
    expect(await asService('pg', b, 'select session_user, current_user')).toBe('app_b|app')
    await step('scramble', b)
    expect(await step('look', b)).toEqual({ accepted: 'refused' })
    const { id } = (await stack.containers())['pg']!
    const statements = await engine.logs(id, 10_000)
    expect(statements).toContain('alter role "app_a" login')
    expect(statements).not.toContain('password-of-')
  })

  it('adopts the login of today, a superuser too, which it warns of', async () => {
    const params = { ...postgres, adopted: true }
    const a = { username: 'app_a', password: 'password-of-a-1' }
    const old = { username: 'app', password: 'as-in-env' }
    await ready('postgres', 'adopted', params)
    const step = (name: Step, login: Login, tweak: object = {}) =>
      facts('postgres', 'adopted', name, { ...params, ...tweak, login })
    expect((await step('preflight', old, { adopted: false })).faults).toEqual([
      expect.stringMatching(/app is a superuser: services would have its rights/),
      expect.stringMatching(/the owner app can log in/),
    ])
    expect(await step('preflight', old)).toEqual({
      faults: [],
      warnings: [expect.stringMatching(/app is a superuser: services keep its rights/)],
    })
    const locked = await step('preflight', old, { adminPassword: old.password })
    expect(locked.faults).toEqual([expect.stringMatching(/app is adopted, and is the admin/)])
    await asService('adopted', old, 'create table before (n int)')
    await step('set', a)
    expect(await step('test', a)).toEqual({ accepted: 'accepted' })
    expect(await asService('adopted', a, 'alter table before add m int; select 7')).toBe('7')
    expect(await step('stillUsed', old)).toEqual({ sessions: 0, from: [] })
    await step('revoke', old)
    expect(await step('look', old)).toEqual({ accepted: 'refused' })
    expect(await step('look', a)).toEqual({ accepted: 'accepted' })
    // The local socket goes on.
    expect(await step('preflight', old)).toMatchObject({ faults: [] })
  })

  it('says of a server that trusts everybody that a test means nothing', async () => {
    await ready('postgres', 'open', postgres)
    const login = { username: 'app_a', password: 'password-of-a-1' }
    await facts('postgres', 'open', 'set', { ...postgres, login })
    expect(await facts('postgres', 'open', 'test', { ...postgres, login })).toEqual({
      accepted: 'meaningless',
    })
  })

  it('changes the login of Postgres over the network, where the gate and its certificate allow it', async () => {
    const place = { project: stack.project, service: 'pg' }
    const { address = '' } = await findContainer(engine, place, ending.signal)
    const gate = (deny = '') =>
      createEgress({
        own: () => [],
        lookup: () => Promise.resolve([address]),
        allow: [],
        deny: parseRules('D', deny, []),
      })
    const admin = { username: 'postgres', password: 'the-boss' }
    const over = (name: Step, tweak: Partial<PostgresAt> = {}, egress = gate()) => {
      const login = { username: 'net_a', password: 'password-of-net-a' }
      const at = { host: 'db.test', port: 5432, admin, ca, ...tweak }
      const params = { ...postgres, roles: ['net_a', 'net_b'], login }
      return postgresOverNetwork(
        egress,
        at,
        params,
      )({ step: name, attempt: '1', login }, ending.signal)
    }
    expect(await over('preflight')).toEqual({ faults: [], warnings: [] })
    expect(await over('look')).toEqual({ accepted: 'refused' })
    await over('set')
    expect(await over('test')).toEqual({ accepted: 'accepted' })
    await over('revoke')
    expect(await over('look')).toEqual({ accepted: 'refused' })
    for (const [kind, message, faulty] of [
      ['Unreachable', /certificate/, () => over('look', { ca: undefined })],
      ['Unreachable', /altnames|does not match/, () => over('look', { host: 'other.test' })],
      [
        'Failed',
        /password authentication failed/,
        () => over('set', { admin: { ...admin, password: 'x' } }),
      ],
      ['Failed', /denied/, () => over('look', {}, gate('db.test'))],
    ] as const)
      await expect(faulty()).rejects.toMatchObject({
        kind,
        message: expect.stringMatching(message) as string,
      })
  })

  it.each([
    ['redis', 'default'],
    ['valkey', 'app'],
  ] as const)(
    'changes the password of a user of %s, also over a restart',
    async (service, user) => {
      const [old, next] = [
        { username: user, password: 'as-in-env' },
        { username: user, password: 'the-next-password' },
      ]
      const step = (name: Step, login: Login, admin = old) =>
        facts('redis', service, name, { user, login, admins: [admin], current: old })
      await ready('redis', service, { user, admins: [old] })
      expect(await step('preflight', old)).toEqual({ faults: [], warnings: [] })
      expect(await step('look', next)).toEqual({ accepted: 'refused' })
      await step('set', next)
      await step('set', next)
      expect(await step('test', next)).toEqual({ accepted: 'accepted' })
      expect(await step('look', old)).toEqual({ accepted: 'accepted' })
      const restart = async () => {
        await stack.docker('restart', '-t', '0', (await stack.containers())[service]!.id)
        await ready('redis', service, { user, admins: [next] })
      }
      await restart()
      expect(await step('look', next)).toEqual({ accepted: 'accepted' })
      expect(await step('look', old)).toEqual({ accepted: 'accepted' })
      await step('revoke', old, next)
      await step('revoke', old, next)
      expect(await step('look', old)).toEqual({ accepted: 'refused' })
      await restart()
      expect(await step('look', old)).toEqual({ accepted: 'refused' })
      expect(await step('test', next)).toEqual({ accepted: 'accepted' })
    },
  )

  it('refuses a user of Redis whose password nothing makes last', async () => {
    const admins = [{ username: 'default', password: 'in-the-command' }]
    await ready('redis', 'bare', { user: 'default', admins })
    expect((await facts('redis', 'bare', 'preflight', { user: 'default', admins })).faults).toEqual(
      [
        expect.stringMatching(/password is in the command/),
        expect.stringMatching(/nothing makes a new password last: the server has neither/),
      ],
    )
    expect((await facts('redis', 'bare', 'preflight', { user: 'nobody', admins })).faults).toEqual([
      expect.stringMatching(/there is no user nobody/),
      expect.stringMatching(/nothing makes a new password last/),
    ])
  })

  it('changes the user of MariaDB by turns', async () => {
    const params = { database: 'shop', users: ['app_a', 'app_b'], from: '%' }
    const a = { username: 'app_a', password: 'password-of-a-1' }
    const step = (name: Step, login: Login, tweak: object = {}) =>
      facts('mariadb', 'maria', name, { ...params, ...tweak, login })
    const visit = 'mariadb -h 127.0.0.1 --skip-ssl -u app_a -D shop -e "do sleep(0.05)"'
    await ready('mariadb', 'maria', params)
    expect(await step('preflight', a)).toEqual({ faults: [] })
    expect(
      await step('preflight', a, { users: ['root', 'b'], database: 'none', adopt: 'gone' }),
    ).toEqual({
      faults: [
        'there is no database none',
        expect.stringMatching(/root is the administrator: it must not take turns/),
        'there is no user gone that could be adopted',
      ],
    })
    expect(await step('look', a)).toEqual({ accepted: 'refused' })
    await step('set', a)
    await step('set', a)
    expect(await step('test', a)).toEqual({ accepted: 'accepted' })
    expect(await step('stillUsed', a)).toEqual({ sessions: 0, from: [] })
    const visits = run('maria', shortly(`MYSQL_PWD=$password ${visit}`), `${a.password}\n`)
    const watched = await step('stillUsed', a, { watchMs: 3_000 })
    expect(watched).toMatchObject({ watchedMs: 3_000, from: ['localhost'] })
    expect(await visits).toMatchObject({ exitCode: 0 })
    await step('revoke', a)
    expect(await step('look', a)).toEqual({ accepted: 'refused' })
    await step('set', a)
    expect(await step('test', a)).toEqual({ accepted: 'accepted' })
    await step('scramble', a)
    expect(await step('look', a)).toEqual({ accepted: 'refused' })
  })

  describe('rotates whole', () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await openTestStore(inject('postgresUrl'), { clock })
    })
    afterAll(() => t?.destroy())

    /** The machine on the database of a service; `around` is called with each step that it asks for. */
    const begin = async (
      service: string,
      roles: readonly string[],
      around: (step: string, ask: () => Promise<Facts>) => Promise<Facts> = (_, ask) => ask(),
    ): Promise<RotationWorld> => {
      await ready('postgres', service, postgres)
      const rotator = {
        postgres: {
          in: { stagelet: 'one', service },
          database: 'shop',
          owner: `owner_${roles[0] ?? ''}`,
          roles,
        },
      }
      const world = await RotationWorld.begin(t, clock, { spec: { rotator, overlap: '1m' } })
      const task: RunTask = (_, { step, params }) =>
        around(step, async () => {
          const { facts: found, fault } = await ask('postgres', service, step as Step, params)
          if (fault !== undefined) throw new StepFault(fault.kind, fault.message)
          return defined(found ?? {})
        })
      const { egress } = world.deps
      const secretOf = () => Promise.reject(new Error('no secret is needed'))
      const { metadata, spec } = await world.rotation()
      const at = { uid: metadata.uid!, namespace: world.ns, name: 'db', spec }
      world.rotator = await openRotator(at, { egress, clock, secretOf, task })
      return world
    }
    const loginIn = (world: RotationWorld): Login => {
      const { user = '', password = '' } = world.containers.get('one') ?? {}
      return { username: user, password }
    }
    const firstSeed = Number(process.env['STAGELY_TEST_SEED'] ?? '1')
    const isIdle = ({ phase }: RotationStatus): boolean => phase === 'Idle'
    const rotated =
      (times: number) =>
      (status: RotationStatus): boolean =>
        isIdle(status) && (status.attempt ?? 0) >= times

    it('under a client that writes all the time and is never refused', async () => {
      const world = await begin('pg', ['run_a', 'run_b'])
      await world.run(rotated(1))
      await world.run(() => world.containers.size === 1)
      const { address: host = '' } = await findContainer(
        engine,
        { project: stack.project, service: 'pg' },
        ending.signal,
      )
      let writes = 0
      const refused: string[] = []
      const write = async (sql: string): Promise<void> => {
        const { username: user, password } = loginIn(world)
        const client = new pg.Client({ host, database: 'shop', user, password })
        try {
          await client.connect()
          await client.query(sql)
          writes += 1
        } catch (error) {
          refused.push(`${user}: ${String(error)}`)
        } finally {
          await client.end().catch(() => undefined)
        }
      }
      await write('create table written (n int)')
      let over = false
      const client = (async () => {
        while (!over) {
          await write('insert into written values (1)')
          await realClock.sleep(100)
        }
      })()
      const rounds = soak(2, 20)
      for (let n = 1; n <= rounds; n++) {
        const old = loginIn(world)
        await write(`create table round_${n} (n int); alter table written add c_${n} int`)
        await world.request({ now: true })
        await world.run(rotated(n + 1))
        expect(loginIn(world).username).not.toBe(old.username)
        expect(await asService('pg', old, 'select 1')).toBe('refused')
        await write(`drop table round_${n}`)
      }
      over = true
      await client
      console.info(`${rounds} rotations, ${writes} writes, ${refused.length} refused`)
      expect(refused).toEqual([])
      expect(writes).toBeGreaterThan(2 * rounds)
    })

    it('not while a session of the old login goes on, which it names by its address', async () => {
      const roles = ['held_a', 'held_b']
      const world = await begin('pg', roles)
      await world.run(rotated(1))
      await world.run(() => world.containers.size === 1)
      const old = loginIn(world)
      const held = run('open', psql('pg', old.username), `${old.password}\nselect pg_sleep(600);\n`)
      const { address } = await findContainer(
        engine,
        { project: stack.project, service: 'open' },
        ending.signal,
      )
      await expect
        .poll(() => facts('postgres', 'pg', 'stillUsed', { ...postgres, roles, login: old }))
        .toMatchObject({ sessions: 1 })
      await world.request({ now: true })
      await world.run(() => false, 4 * 60_000)
      expect(await world.condition('Blocked')).toBe('Blocked=True/StillUsed')
      expect(await world.message('Blocked')).toContain(`from ${address!}`)
      expect(await asService('pg', old, 'select 1')).toBe('1')
      await run(
        'pg',
        ['psql', '-XqAt', '-U', 'postgres'],
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = '${old.username}';\n`,
      )
      await held
      await world.run(rotated(2))
      expect(await asService('pg', old, 'select 1')).toBe('refused')
      expect(await asService('pg', loginIn(world), 'select 1')).toBe('1')
    })

    it('not where the new login was given another password by hand, and says which one is refused', async () => {
      const world = await begin('pg', ['hand_a', 'hand_b'])
      await world.run(rotated(1))
      await world.run(() => world.containers.size === 1)
      const old = loginIn(world)
      await world.request({ now: true })
      await world.run(({ phase }) => phase === 'Proving')
      await world.agent('one')
      const next = loginIn(world)
      expect([old.username, next.username]).toEqual(['hand_a', 'hand_b'])
      const setByHand = (password: string): Promise<Ran> =>
        run(
          'pg',
          ['psql', '-XqAt', '-U', 'postgres'],
          `alter role hand_b password '${password}';\n`,
        )
      await setByHand('another')
      await world.run(() => false, 10 * 60_000)
      expect(await world.condition('Blocked')).toBe('Blocked=True/NewRefused')
      expect(await world.message('Blocked')).toContain('credential of hand_b was proven')
      expect(await asService('pg', old, 'select 1')).toBe('1')
      await setByHand(next.password)
      await world.run(rotated(2))
      expect(await asService('pg', old, 'select 1')).toBe('refused')
      expect(await asService('pg', next, 'select 1')).toBe('1')
    })

    it('nothing where the server trusts everybody, and says so', async () => {
      const world = await begin('open', ['free_a', 'free_b'])
      await world.run(rotated(1))
      expect(await world.condition('Failed')).toBe('Failed=True/TestMeaningless')
      expect(await world.valuesOf('one')).toEqual({})
    })

    it.each(Array.from({ length: soak(2, 100) }, (_, i) => firstSeed + i))(
      'through a crash at a phase border (seed %i): what runs is accepted',
      async (seed) => {
        const random = createRandom(seed)
        let crashes = 0
        const crash = new Error('killed by the test')
        const killServer = async (): Promise<void> => {
          const { id } = (await stack.containers())['pg']!
          await stack.docker('kill', '-s', 'KILL', id)
          await stack.docker('start', id)
        }
        const name = `s${seed.toString(36)}`
        let lastStep = ''
        const world = await begin('pg', [`${name}_a`, `${name}_b`], async (step, ask) => {
          lastStep = step
          const dice = crashes > 0 ? random.below(100) : 100
          if (dice < 50) crashes -= 1
          if (dice < 15) await killServer()
          // The controller dies before or after the effect; its agent answers nobody.
          if (dice >= 15 && dice < 30) throw crash
          const found = await ask()
          if (dice >= 30 && dice < 50) throw crash
          return found
        })
        onTestFailed(async () => {
          const { phase, conditions } = await world.status()
          console.error(
            `after the step ${lastStep}`,
            phase,
            conditions,
            await stack.docker('ps', '-a'),
          )
        })
        await world.run(rotated(1))
        await world.run(() => world.containers.size === 1)
        expect(await asService('pg', loginIn(world), 'select 1')).toBe('1')
        await world.request({ now: true })
        // Each may cost the limit of a step. The test's clock runs ahead of a server that starts.
        crashes = 6
        for (let look = 0; look < 60 && !rotated(2)(await world.status()); look++) {
          const end = await world.run(rotated(2)).catch((error: unknown) => error)
          if (end === crash) clock.step(60_000)
          else {
            expect(end).not.toBeInstanceOf(Error)
            await ready('postgres', 'pg', postgres)
          }
        }
        crashes = 0
        expect(await world.status()).toMatchObject({ phase: 'Idle' })
        await ready('postgres', 'pg', postgres)
        expect(await asService('pg', loginIn(world), 'select 1')).toBe('1')
      },
    )
  })
})
