// Where values lie, from the command to the agents of three machines and back, over real TLS. Their engines are
// stand-ins; their files are real. Containers of a real engine are in test/integration/leak.test.ts.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EngineConfig, EngineMount } from '../../../agent/docker/configs.ts'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import type { LookEngine } from '../../../agent/look/looking.ts'
import { createLookRuns, type LookRuns } from '../../../agent/look/looks.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import { agentPaths, type OnDemandOrder } from '../../../src/protocol/messages.ts'
import type { LookOrder } from '../../../src/protocol/look.ts'
import type { Where } from '../../../src/generated/rest-types.ts'
import {
  eventually,
  joinTestAgent,
  startTestAgent,
  type TestAgent,
} from '../../support/agents/agent-protocol.ts'
import { memoryFolder } from '../../support/memory-folder.ts'
import { runPage } from '../../support/page-commands.ts'
import { runCli } from '../../support/programs/cli.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'

/** Of a form that a service draws. */
const token = 'sk_live_9Qm2Xv7Lr4Tz8Wc1Kd6Pf3Hn5Bj0GsYa'
const old = 'old-v4lue "of" $1 & <two>/+'
const current = 'current-v4lue/of+7'
/** Stands for the text of all other files; the bench row `where_s` has a third of a gigabyte. */
const otherText = 'DB_HOST=db.example.com # current-v4lue, of old-v4lue\n'.repeat(80_000)

interface FakeContainer {
  readonly name: string
  /** `project/service`; absent: of nobody. */
  readonly service?: string
  readonly config?: EngineConfig
  readonly mounts?: readonly EngineMount[]
  readonly log?: string
}

/** One frame of a container without a tty. */
const frame = (text: string): Buffer => {
  const head = Buffer.alloc(8)
  head[0] = 1
  head.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([head, Buffer.from(text)])
}

const fakeEngine = (
  containers: readonly FakeContainer[],
  images: Readonly<Record<string, EngineConfig>>,
): LookEngine => {
  const summaries = containers.map(({ name, service }) => {
    const [project = '', serviceName = ''] = service?.split('/') ?? []
    const labels = {
      'com.docker.compose.project': project,
      'com.docker.compose.service': serviceName,
    }
    const Labels: Record<string, string> = service === undefined ? {} : labels
    return { Id: name, Names: [`/${name}`], Labels, State: 'running', Status: '', Created: 1 }
  })
  const find = (id: string): FakeContainer => containers.find(({ name }) => name === id)!
  return {
    listAllContainers: () => Promise.resolve(summaries),
    listContainers: (project) =>
      Promise.resolve(summaries.filter((c) => c.Labels['com.docker.compose.project'] === project)),
    configOf: (id) =>
      Promise.resolve({ Config: find(id).config ?? {}, Mounts: find(id).mounts ?? [] }),
    listImages: () =>
      Promise.resolve(Object.keys(images).map((tag) => ({ Id: tag, RepoTags: [tag] }))),
    imageConfig: (id) => Promise.resolve(images[id]),
    openLog: (id) =>
      Promise.resolve({
        tty: false,
        bytes: (async function* () {
          yield await Promise.resolve(frame(find(id).log ?? 'nothing to see\n'))
        })(),
      }),
  }
}

const base64In = (value: string, before: string): string =>
  Buffer.from(`${before}${value}.tail`).toString('base64')
const hexOf = (value: string): string => Buffer.from(value).toString('hex')

/** Ten places of a machine, four of them in containers of nobody. */
const machineOf = (
  dir: string,
  value: string,
  n: number,
): {
  containers: FakeContainer[]
  images: Record<string, EngineConfig>
  files: [string, string][]
} => ({
  containers: [
    {
      name: `shop-web-${n}`,
      service: 'shop/web',
      config: { Env: [`URL=https://x?q=${encodeURIComponent(value)}`, 'PORT=8080'] },
      mounts: [{ Type: 'bind', Source: join(dir, 'secrets'), Destination: '/run/secrets' }],
      log: `started\nwith ${JSON.stringify({ at: JSON.stringify({ value }) })}\n`,
    },
    { name: `old-worker-${n}`, config: { Env: [`TOKEN=${value}`] } },
    {
      name: `cron-${n}`,
      config: { Cmd: ['sh', '-c', `AUTH=${base64In(value, 'x'.repeat(n))} run`] },
    },
    { name: `proxy-${n}`, config: { Labels: { 'traefik.auth': hexOf(value).toUpperCase() } } },
    { name: `probe-${n}`, config: { Healthcheck: { Test: ['CMD', 'probe', hexOf(value)] } } },
  ],
  images: {
    [`shop:${n}`]: {
      Env: [
        `BAKED=${base64In(value, 'ab'.slice(n % 3))
          .replaceAll('+', '-')
          .replaceAll('/', '_')}`,
      ],
    },
  },
  files: [
    ['secrets/token', `${value}\n`],
    ['stacks/shop/.env', `A=1\nB=2\nDB='${value.replaceAll("'", "'\\''")}'\n`],
    [
      'stacks/shop/compose.yaml',
      `services:\n  web:\n    environment:\n      X: ${JSON.stringify(value.replaceAll('$', '$$$$'))}\n`,
    ],
    ['stacks/shop/other.txt', otherText],
    ['stacks/shop/token.json', JSON.stringify({ data: base64In(token, 'x') })],
  ],
})

describe('a look for values', () => {
  let controller: TestController
  let dir: string
  const agents: TestAgent[] = []
  const looks: LookRuns[] = []
  const posted: string[] = []
  const identities: AgentIdentity[] = []
  const team = '/api/v1/teams/default/where'
  const secret = '/api/v1/projects/default%2Fshop/secrets/stripe.web'

  const connect = async (n: number, value: string, knows?: string[]): Promise<void> => {
    const root = join(dir, String(n))
    const { containers, images, files } = machineOf(root, value, n)
    for (const [name, text] of files) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), text)
    }
    await mkdir(join(root, 'stacks/agent-data'))
    await writeFile(join(root, 'stacks/agent-data/own'), value)
    await symlink('/', join(root, 'stacks/shop/root'))
    const agent = startTestAgent(identities[n]!, {
      ...(knows === undefined ? {} : { knows }),
      onAsked: (order) => {
        if (order.type === 'lookFor') looks[n]!.start(order)
      },
    })
    looks[n] = createLookRuns({
      engine: fakeEngine(containers, images),
      projects: () => new Set(['shop']),
      sourceOf: () => undefined,
      folders: {
        allowDirs: [join(root, 'stacks')],
        ownDirs: [join(root, 'stacks/agent-data')],
      },
      client: {
        post: (request) => {
          posted.push(JSON.stringify(request))
          return agent.client.post(request)
        },
      },
      clock: realClock,
      log: silentLogger,
    })
    agents[n] = agent
    await eventually(() => agent.connections === 1)
  }
  const joined = async (name: string): Promise<AgentIdentity> => {
    const made = await controller.call('POST', '/api/v1/agents', {
      body: { team: 'default', name },
    })
    const { id } = made.json<{ id: string }>()
    const token = await controller.call('POST', `/api/v1/agents/${id}/join-token`, { body: {} })
    return joinTestAgent(parseJoinToken(token.json<{ token: string }>().token))
  }
  /** Until all machines have got the value: what an agent has not got is not looked for there in plain. */
  const got = (value: string): Promise<unknown> =>
    eventually(() =>
      agents.every(({ wants }) => wants.some((want) => want.endsWith(`STRIPE=${value}`))),
    )
  const put = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await controller.call(method, path, { body })
    expect(answer.status, answer.text).toBeLessThan(300)
  }
  const commandEnv = (): NodeJS.ProcessEnv => ({
    HOME: controller.dataDir,
    STAGELY_SERVER: controller.url,
    STAGELY_TOKEN: controller.token,
    STAGELY_CA_FILE: `${controller.dataDir}/ca.crt`,
  })
  const cli = (words: readonly string[], stdin = ''): ReturnType<typeof runCli> =>
    runCli([...words], commandEnv(), stdin)

  beforeAll(async () => {
    dir = await mkdtemp(join(memoryFolder, 'stagely-where-'))
    controller = await startTestController()
    await put('POST', '/api/v1/projects', { team: 'default', name: 'shop' })
    for (let n = 0; n < 3; n++) identities[n] = await joined(`web-${n}`)
    for (const [n, value] of [current, old, old].entries()) {
      await connect(n, value)
      const compose = { directory: `/srv/shop-${n}` }
      const stagelet = { team: 'default', name: `shop-${n}`, project: 'shop', compose }
      await put('POST', '/api/v1/stagelets', { ...stagelet, agent: `web-${n}` })
    }
    const body = { key: 'STRIPE', scope: 'web', value: old }
    await put('POST', '/api/v1/projects/default%2Fshop/secrets', body)
    await got(old)
    for (const value of ['never used', current]) {
      await put('PATCH', secret, { value })
      await got(value)
    }
  })
  afterAll(async () => {
    for (const look of looks) look.stop()
    for (const agent of agents) await agent.stop()
    await controller?.remove()
    await rm(dir, { recursive: true, force: true })
  })

  it('finds thirty places on three machines in every form, and nothing else; no answer holds a value', async () => {
    const answer = await controller.call('POST', `${secret}/where`, { body: {} })
    expect(answer.status, answer.text).toBe(200)
    const { places, agents: asked, versions } = answer.json<Where>()
    expect(asked.map(({ name, state, unread }) => [name, state, unread])).toEqual(
      [0, 1, 2].map((n) => [`web-${n}`, 'looked', []]),
    )
    expect(versions.map(({ version, state }) => [version, state])).toEqual([
      [3, 'current'],
      [2, 'superseded'],
      [1, 'superseded'],
    ])
    expect(places).toHaveLength(30)
    for (let n = 0; n < 3; n++) {
      const own = places.filter(({ agent }) => agent === `web-${n}`)
      expect(own.map(({ kind }) => kind).sort()).toEqual([
        'command',
        'command',
        'environment',
        'environment',
        'file',
        'file',
        'image',
        'label',
        'log',
        'mount',
      ])
      expect(own.filter(({ managed }) => managed === false)).toHaveLength(4)
      const is = n === 0 ? { version: 3, state: 'current' } : { version: 1, state: 'superseded' }
      for (const place of own) expect(place).toMatchObject(is)
      const at = `${join(dir, String(n))}/stacks/shop/.env:3`
      expect(own).toContainEqual(expect.objectContaining({ kind: 'file', at }))
      expect(own).toContainEqual(
        expect.objectContaining({ container: `old-worker-${n}`, kind: 'environment', at: 'TOKEN' }),
      )
      expect(own).toContainEqual(
        expect.objectContaining({ kind: 'mount', at: '/run/secrets/token:1', service: 'shop/web' }),
      )
    }
    const told = answer.text + posted.join('\n')
    for (const value of [old, current])
      for (const form of [
        value,
        JSON.stringify(value).slice(1, -1),
        encodeURIComponent(value),
        hexOf(value),
        Buffer.from(value).toString('base64').slice(0, -4),
      ])
        expect(told).not.toContain(form)
  })

  it('is a command: a table, JSON, and the value on standard input', async () => {
    const table = await cli(['where', 'STRIPE', '--scope', 'web'])
    expect([table.code, table.stderr]).toEqual([0, ''])
    expect(table.stdout).toMatch(
      /^web-0 +shop\/web +environment +URL +current \(version 3\), since 2/m,
    )
    expect(table.stdout).toMatch(
      /^web-1 +old-worker-1 \(unmanaged\) +environment +TOKEN +version 1: superseded since 2/m,
    )
    await runPage('cli.md', {
      folder: dir,
      env: commandEnv(),
      part: 'stagely where',
      names: { STRIPE_SECRET_KEY: 'STRIPE', backend: 'web' },
      after: (_, stdout) => {
        expect(stdout.split('\n')).toHaveLength(table.stdout.split('\n').length)
      },
    })
    const given = await cli(['where', '-o', 'json'], token)
    expect([given.code, (JSON.parse(given.stdout) as Where).places]).toMatchObject([
      0,
      [0, 1, 2].map((n) => ({ agent: `web-${n}`, kind: 'file' })),
    ])
    const guess = await cli(['where'], old)
    expect([guess.code, guess.stderr]).toEqual([
      1,
      expect.stringContaining('nothing was looked for') as string,
    ])
    expect((await cli(['where', 'STRIPE', old])).code).toBe(2)
    const short = await cli(['where'], '8080')
    expect([short.code, short.stderr]).toEqual([1, expect.stringContaining('under 8 bytes')])
  })

  it('says which machines are unknown, and since when', async () => {
    await agents[2]!.stop()
    await agents[1]!.stop()
    const identity = identities[1]!
    agents[1] = startTestAgent(identity, { knows: ['task'] })
    await eventually(() => agents[1]!.connections === 1)
    await eventually(async () => {
      const answer = await controller.call('POST', `${secret}/where`, { body: {} })
      const { agents: asked, places } = answer.json<Where>()
      expect(places).toHaveLength(10)
      expect(asked).toMatchObject([
        { state: 'looked' },
        { state: 'unknown', message: expect.stringContaining('older than looks') as string },
        { state: 'unknown', message: expect.stringContaining('no connection') as string },
      ])
      return asked.every(({ state, since }) => state === 'looked' || since !== undefined)
    })
    const partial = await cli(['where', 'STRIPE', '--scope', 'web'])
    expect(partial.code).toBe(1)
    expect(partial.stderr).toMatch(/agent web-2: unknown since 2\S+: it has no connection/)
  })

  it('is audited before anything is asked, and refused beyond twenty given values an hour', async () => {
    const audit = await controller.call('GET', '/api/v1/audit?action=look%20for')
    const { rows } = audit.json<{ rows: { detail: object }[] }>()
    expect(rows.at(-1)).toMatchObject({ detail: { way: 'where', key: 'STRIPE' } })
    const reveals = await controller.call('GET', '/api/v1/audit?action=reveal')
    expect(reveals.json<{ rows: object[] }>().rows).toEqual([])
    const statuses: number[] = []
    for (let n = 0; n < 21; n++)
      statuses.push(
        (await controller.call('POST', team, { body: { value: `my-guess-${n}` } })).status,
      )
    expect([statuses[0], statuses.at(-1)]).toEqual([200, 429])
    const guesses = await controller.call(
      'GET',
      '/api/v1/audit?action=look%20for%20a%20given%20value',
    )
    expect(guesses.json<{ rows: object[] }>().rows.length).toBeGreaterThanOrEqual(19)
    expect(guesses.text).not.toContain('my-guess')
  })

  it('needs the right to reveal, or to give a value; a narrowed token has neither', async () => {
    const tokenOf = async (role: string, places = {}): Promise<Record<string, string>> => {
      const made = await controller.call('POST', '/api/v1/teams/default/tokens', {
        body: { name: `${role}-${Object.keys(places).length}`, role, ...places },
      })
      expect(made.status, made.text).toBe(201)
      return { authorization: `Bearer ${made.json<{ token: string }>().token}` }
    }
    const statusesOf = async (headers: Record<string, string>): Promise<number[]> => [
      (await controller.call('POST', `${secret}/where`, { body: {}, headers })).status,
      (await controller.call('POST', team, { body: { value: 'a guess of mine' }, headers })).status,
    ]
    expect(await statusesOf(await tokenOf('developer'))).toEqual([403, 200])
    for (const role of ['deployer', 'operator', 'viewer'])
      expect(await statusesOf(await tokenOf(role))).toEqual([403, 403])
    expect(await statusesOf(await tokenOf('maintainer', { projects: ['shop'] }))).toEqual([
      403, 403,
    ])
  })

  /** An agent without a stack, in the hands of somebody else. `answer`: in place of what it has found. */
  const stranger = async (
    name: string,
    answer: (id: string) => object,
  ): Promise<{ agent: TestAgent; orders: OnDemandOrder[] }> => {
    const identity = await joined(name)
    const orders: OnDemandOrder[] = []
    const agent = startTestAgent(identity, {
      onAsked: (order) => {
        orders.push(order)
        if (order.type !== 'lookFor') return
        const body = { id: order.id, ...answer(order.id) }
        agent.client.post({ path: agentPaths.tasks, body }).catch(() => undefined)
      },
    })
    agents.push(agent)
    await eventually(() => agent.connections === 1)
    return { agent, orders }
  }
  const rowOf = (where: Where, name: string): Where['agents'][number] | undefined =>
    where.agents.find((row) => row.name === name)

  it('gives a machine that has not got a value no value, and of one that can be guessed nothing', async () => {
    const place = { kind: 'environment', container: 'c', at: 'TOKEN', values: ['1'] }
    const { orders } = await stranger('stranger', () => ({
      found: { places: [place], unread: [] },
    }))
    const body = { key: 'TOKEN', scope: 'web', value: token }
    await put('POST', '/api/v1/projects/default%2Fshop/secrets', body)
    const weak = await controller.call('POST', `${secret}/where`, { body: {} })
    expect(rowOf(weak.json<Where>(), 'stranger')).toMatchObject({
      state: 'unknown',
      message: expect.stringContaining('could guess it') as string,
    })
    expect(orders).toEqual([])
    const path = '/api/v1/projects/default%2Fshop/secrets/token.web/where'
    const strong = (await controller.call('POST', path, { body: {} })).json<Where>()
    expect(rowOf(strong, 'stranger')?.state).toBe('looked')
    expect(strong.places.map(({ agent, kind }) => [agent, kind])).toEqual(
      expect.arrayContaining([
        ['stranger', 'environment'],
        ['web-0', 'file'],
      ]),
    )
    expect(orders).toMatchObject([{ values: [], prints: [{ name: '1', length: token.length }] }])
    const told = JSON.stringify(orders)
    const forms = [token, token.slice(8), hexOf(token), Buffer.from(token).toString('base64')]
    for (const form of forms) expect(told).not.toContain(form)
    // What it was given for one look tells nothing about another one: the keys differ.
    await controller.call('POST', path, { body: {} })
    const [first, second] = orders as LookOrder[]
    expect(second!.key).not.toBe(first!.key)
    expect(second!.prints[0]!.mac).not.toBe(first!.prints[0]!.mac)
  })

  it.each([
    ['a time that is none', { found: { places: [{ kind: 'log', since: 9e15, values: ['1'] }] } }],
    ['another shape', { found: 5 }],
  ])('shows what the others have found where one machine answers with %s', async (_, wrong) => {
    const name = `liar-${agents.length}`
    await stranger(name, () => wrong)
    const path = '/api/v1/projects/default%2Fshop/secrets/token.web/where'
    const answer = await controller.call('POST', path, { body: {} })
    expect(answer.status, answer.text).toBe(200)
    const where = answer.json<Where>()
    expect(rowOf(where, name)).toMatchObject({ state: 'unknown', message: 'it answered wrongly' })
    expect(where.places.length).toBeGreaterThan(0)
  })
})
