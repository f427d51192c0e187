import { describe, expect, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { taskReport, type TaskOrder, type TaskReport } from '../../src/protocol/tasks.ts'
import type { ExecInContainer, ExecOutcome } from '../docker/exec.ts'
import { createKnownValues } from '../logs/known-values.ts'
import { createTaskRuns } from './tasks.ts'

const secret = 'a-password-of-a-task'
const order = (tweak: Partial<TaskOrder> = {}): TaskOrder => ({
  type: 'task',
  id: 'one',
  rotation: 'r',
  attempt: '1',
  step: 'set',
  stageletUid: 'uid',
  service: 'db',
  plugin: 'postgres',
  params: {
    database: 'shop',
    owner: 'app',
    roles: ['app_a', 'app_b'],
    login: { username: 'app_a', password: secret },
  },
  ...tweak,
})

interface Given {
  readonly allowed?: boolean
  readonly exec?: (request: ExecInContainer) => Promise<ExecOutcome>
  readonly state?: string
  readonly startedAt?: () => string
}

const ok = (stdout = '[]'): Promise<ExecOutcome> =>
  Promise.resolve({ exitCode: 0, stdout, stderr: '' })

const open = ({
  allowed = true,
  exec = () => ok(),
  state = 'running',
  startedAt = () => '',
}: Given = {}) => {
  const reports: TaskReport[] = []
  const knownValues = createKnownValues()
  const execs: ExecInContainer[] = []
  const tasks = createTaskRuns({
    allowed,
    clock: realClock,
    log: silentLogger,
    engine: {
      listContainers: () =>
        Promise.resolve([
          {
            Id: 'c',
            Names: ['/p-db-1'],
            State: state,
            Status: '',
            Created: 0,
            Labels: { 'com.docker.compose.service': 'db' },
          },
        ]),
      inspect: () =>
        Promise.resolve({
          Id: 'c',
          RestartCount: 0,
          State: {
            Status: 'running',
            ExitCode: 0,
            Error: '',
            OOMKilled: false,
            StartedAt: startedAt(),
          },
          Config: { Tty: false, Env: ['POSTGRES_USER=boss'] },
          HostConfig: { RestartPolicy: { Name: 'no' } },
          NetworkSettings: { Networks: { one: { IPAddress: '10.9.9.9' } } },
        }),
      exec: (_, request) => {
        execs.push(request)
        return exec(request)
      },
    },
    sourceOf: (uid) =>
      uid === 'uid'
        ? knownValues.sourceOf({ project: 'p', ending: new AbortController() })
        : undefined,
    client: {
      post: ({ body }) => {
        reports.push(taskReport.parse(body))
        return Promise.resolve({ state: 'taken' })
      },
    },
  })
  const answer = async (given: TaskOrder): Promise<TaskReport> => {
    tasks.start(given)
    await expect.poll(() => reports.find(({ id }) => id === given.id)).toBeDefined()
    return reports.find(({ id }) => id === given.id)!
  }
  return { tasks, reports, knownValues, execs, answer }
}

describe('a task of an agent', () => {
  it('is refused by an agent that does none, and says why', async () => {
    const { answer, execs } = open({ allowed: false })
    expect((await answer(order())).fault).toEqual({
      kind: 'Refused',
      message: expect.stringContaining('--no-tasks') as string,
    })
    expect(execs).toEqual([])
  })

  it('names a container that is paused, and how it goes on', async () => {
    const { answer } = open({ state: 'paused' })
    expect((await answer(order())).fault).toEqual({
      kind: 'Unreachable',
      message: 'the container of the service db is paused: docker unpause p-db-1',
    })
  })

  it.each([
    ['a plugin of a later version', { plugin: 'oracle' }, 'Refused', /too old for the task oracle/],
    [
      'a step of a later version',
      { step: 'bake' },
      'Refused',
      /too old for the task postgres bake/,
    ],
    ['a foreign stack', { stageletUid: 'other' }, 'Unreachable', /not its own/],
    ['a service without containers', { service: 'web' }, 'Unreachable', /no container of the/],
    [
      'parameters it cannot read',
      { params: { owner: 3 } },
      'Failed',
      /malformed at: database, owner/,
    ],
    [
      'a password of more than one line',
      { params: { ...order().params, adminPassword: 'x\n\\! id' } },
      'Failed',
      /malformed at: adminPassword holds a line break or a NUL/,
    ],
    [
      'a login that the rotation does not have',
      { step: 'revoke', params: { ...order().params, login: { username: 'z', password: '' } } },
      'Failed',
      /z is no login of this rotation/,
    ],
  ] as const)('of %s has no facts, and the stream goes on', async (_, tweak, kind, message) => {
    const { answer, execs } = open()
    const { fault, facts } = await answer(order(tweak))
    expect(execs).toEqual([])
    expect([fault?.kind, facts]).toEqual([kind, undefined])
    expect(fault?.message).toMatch(message)
  })

  it('has its value hidden before anything is done, and in no argument, variable or answer', async () => {
    const { answer, knownValues, execs } = open({
      exec: () => {
        const text = knownValues.sourceOf({ project: 'p', ending: new AbortController() }).masker()
        expect(text.mask(`it says ${secret}`)).not.toContain(secret)
        return Promise.resolve({ exitCode: 3, stdout: '', stderr: `ERROR: no ${secret}` })
      },
    })
    const { fault } = await answer(order())
    expect(fault?.message).toMatch(/Postgres refuses a statement: ERROR: no \*\*\*REDACTED/)
    for (const { command, env } of execs)
      expect([...command, ...env].join(' ')).not.toContain(secret)
    expect(execs[0]?.command).toEqual(expect.arrayContaining(['psql', '-X', '-U', 'boss']))
  })

  it.each([
    [137, 'a signal'],
    [2, 'a lost connection'],
    [127, 'no exit code'],
  ])('says nothing of a database whose container ends meanwhile (%i: %s)', async (exitCode) => {
    let starts = 1
    const { answer } = open({
      startedAt: () => String(starts),
      exec: () => {
        starts = 2
        return Promise.resolve({ exitCode, stdout: '', stderr: 'server closed the connection' })
      },
    })
    expect((await answer(order())).fault).toEqual({
      kind: 'Unreachable',
      message: 'the container of the service db ended meanwhile',
    })
  })

  it.each([126, 127, 137])(
    'says nothing of a database whose container has ended and the engine tells late (%i)',
    async (exitCode) => {
      let starts = 1
      const { answer } = open({
        startedAt: () => String(starts),
        exec: () => {
          setTimeout(() => {
            starts = 2
          }, 200)
          return Promise.resolve({ exitCode, stdout: '', stderr: '' })
        },
      })
      expect((await answer(order())).fault).toEqual({
        kind: 'Unreachable',
        message: 'the container of the service db ended meanwhile',
      })
    },
  )

  it.each([
    ['postgres', 'the container has no psql'],
    ['redis', 'the container has neither redis-cli nor valkey-cli'],
    ['mariadb', 'the container has neither mariadb nor a shell that finds it'],
  ])('fails where the container does not have the programs of %s', async (plugin, message) => {
    const { answer } = open({
      exec: () => Promise.resolve({ exitCode: 127, stdout: '', stderr: '' }),
    })
    const params = {
      database: 'shop',
      owner: 'app',
      roles: ['app_a', 'app_b'],
      users: ['app_a', 'app_b'],
      from: '%',
      user: 'app',
      admins: [],
    }
    const { fault } = await answer(order({ plugin, step: 'preflight', params }))
    expect(fault).toEqual({ kind: 'Failed', message })
  })

  it.each([
    [
      'Unreachable',
      "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock'",
    ],
    ['Failed', "ERROR 1045 (28000): Access denied for user 'root'@'localhost'"],
  ])('is %s where MariaDB says: %s', async (kind, stderr) => {
    const { answer } = open({ exec: () => Promise.resolve({ exitCode: 1, stdout: '', stderr }) })
    const params = { database: 'shop', users: ['a', 'b'], from: '%' }
    const { fault } = await answer(order({ plugin: 'mariadb', step: 'preflight', params }))
    expect(fault?.kind).toBe(kind)
  })

  it.each([
    ['accepted', "OK\nNOPERM User app has no permissions to run the 'echo' command\n"],
    ['refused', 'WRONGPASS invalid username-password pair or user is disabled.\n'],
  ])('finds a login of Redis without a right but its own %s', async (accepted, stdout) => {
    const { answer } = open({ exec: () => ok(stdout) })
    const params = { user: 'app', login: { username: 'app', password: secret }, admins: [] }
    const { facts } = await answer(order({ plugin: 'redis', step: 'look', params }))
    expect(facts).toEqual({ accepted })
  })

  it.each([
    ['Unreachable', 'ERROR:  55P03: canceling statement due to lock timeout'],
    ['Unreachable', 'ERROR:  57014: canceling statement due to statement timeout'],
    ['Failed', 'ERROR:  permission denied for database shop'],
  ])('is %s where Postgres says: %s', async (kind, stderr) => {
    const { answer } = open({ exec: () => Promise.resolve({ exitCode: 3, stdout: '', stderr }) })
    expect((await answer(order())).fault?.kind).toBe(kind)
  })

  it('is tried again where Postgres was just starting', async () => {
    let tries = 0
    const { answer } = open({
      exec: ({ command }) => {
        if (command[0] === 'pg_isready') return ok()
        tries += 1
        return tries === 1
          ? Promise.resolve({ exitCode: 2, stdout: '', stderr: 'starting up' })
          : ok()
      },
    })
    expect((await answer(order({ step: 'scramble' }))).fault).toBeUndefined()
  })

  it('is not done twice while it runs, and every asking has its answer', async () => {
    let go = (): void => undefined
    const { tasks, reports, execs } = open({
      exec: async () => {
        await new Promise<void>((resolve) => (go = resolve))
        return ok()
      },
    })
    for (const id of ['one', 'two', 'three']) tasks.start(order({ id, step: 'scramble' }))
    await expect.poll(() => execs.length).toBe(1)
    go()
    await expect.poll(() => reports.map(({ id }) => id).sort()).toEqual(['one', 'three', 'two'])
    expect(execs).toHaveLength(1)
  })

  it('waits for the one before it in the same container', async () => {
    let running = 0
    const { tasks, reports } = open({
      exec: async () => {
        running += 1
        expect(running).toBe(1)
        await realClock.sleep(5)
        running -= 1
        return ok()
      },
    })
    for (const attempt of ['1', '2', '3']) tasks.start(order({ id: attempt, attempt }))
    await expect.poll(() => reports.map(({ id }) => id)).toEqual(['1', '2', '3'])
  })
})
