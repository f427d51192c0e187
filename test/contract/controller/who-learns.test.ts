// Each row of "Who learns what" in docs/security-model.md: the message is really sent, and all that arrives is searched for
// every value that there is. controller/http/who-learns.test.ts holds the table against the names of fields.
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { joinController } from '../../../agent/link/join.ts'
import { openKeyRotation } from '../../../agent/link/key-rotation.ts'
import {
  createControllerClient,
  type ControllerClient,
} from '../../../agent/link/controller-client.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import {
  shop,
  startLearningWorld,
  type LearningWorld,
  type Who,
} from '../../support/agents/learning-world.ts'
import { passes } from '../../support/eventually.ts'
import { toldMessages } from '../../support/http/told-messages.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

/** By receiver, what has arrived, and the names of all that may be learnt from it. */
type Arrived = Readonly<Record<string, readonly [text: string, ...learns: string[]]>>

let world: LearningWorld
let folder: string
/** What went to the second replica at this path: the whole requests, and the answers. */
const passed = async (path: string): Promise<string> => {
  const own = () => world.secondProxy.recorded.filter((one) => one.path === path)
  await passes(() => own().some(({ status }) => status !== undefined))
  return own()
    .map(({ headers, body, answer }) =>
      [JSON.stringify(headers), body.toString('latin1'), answer.toString('latin1')].join('\n'),
    )
    .join('\n')
}

const stagelet = (name: string): string => `/stagelets/default%2F${name}`
const setStagelet = (name: string, compose: object, more: object = {}): Promise<unknown> =>
  world.admin('PATCH', stagelet(name), { compose, ...more })

/** Reads logs at the first or the second replica; to the end that machine A tells at another one. */
const readLogs = async (at: 'first' | 'second', tellsAt: string): Promise<[string, string]> => {
  const before = (await Promise.race([world.a.told('logs'), realClock.sleep(100)])) ?? ''
  const path = `/api/v1${stagelet('web-a')}/logs`
  const reading = world[at].open(path, {})
  const told = await world.a.told('logs', (text) => !before.includes(text))
  const { session } = JSON.parse(told.split('\n').at(-1)!) as { session: string }
  const line = {
    type: 'line',
    service: 'web',
    container: 'web-1',
    stream: 'stdout',
    time: '2026-01-31T10:00:00Z',
    text: 'PASSWORD=***REDACTED***',
  }
  const batch = { session, seq: 0, records: [line, { type: 'end' }] }
  const answer = await world.a.post(agentPaths.logs, batch, tellsAt)
  let read = ''
  for await (const chunk of await reading) read += String(chunk)
  expect(read).toContain('REDACTED')
  return [told, answer]
}

const where = (at: 'first' | 'second', secret: string): Promise<string> =>
  world[at]
    .call('POST', `/api/v1${shop}/secrets/${secret}/where`, { body: {} })
    .then(({ status, text }) => {
      expect(status, text).toBe(200)
      return text
    })

/** A token that an answer shows once: not to who asks for the same answer again, and nowhere else. */
const shownOnce =
  (id: string, path: string, field: string, body: object = {}) =>
  async (): Promise<Arrived> => {
    const headers = { 'idempotency-key': id }
    const ask = () => world.by('admin', 'POST', `/api/v1${path}`, { headers, body })
    const first = await ask()
    const made = first.json<Record<string, string>>()[field]!
    world.canaries.add(id, made)
    const lists = await Promise.all(
      ['/audit', '/activity', path.replace(/\/join-token$|\/codes$/, '')].map((at) =>
        world.by('admin', 'GET', `/api/v1${at}`),
      ),
    )
    return {
      'who asks': [first.text, id],
      'who repeats it': [(await ask()).text],
      'who reads': [lists.map(({ text }) => text).join('\n')],
    }
  }

const reveals =
  (path: string, learns: Readonly<Record<'owner' | 'preview', readonly string[]>>, body = {}) =>
  async (): Promise<Arrived> => {
    const ask = async (who: Who): Promise<string> =>
      (await world.by(who, 'POST', `/api/v1${shop}${path}`, { body })).text
    return {
      owner: [await ask('owner'), ...learns.owner],
      'owner of preview': [await ask('preview'), ...learns.preview],
      'developer of preview': [await ask('developer of preview')],
      viewer: [await ask('viewer')],
      auditor: [await ask('auditor')],
    }
  }

/** A machine of its own, which has new keys and goes: its answers, opened, by path. */
const comeAndGo = async (): Promise<Map<string, string>> => {
  const answers = new Map<string, string>()
  const token = await world.joinToken('box-c', { ephemeral: {} })
  const answered = await joinController(folder, token, '0.0.1')
  answers.set(agentPaths.join, JSON.stringify({ ...answered, ed25519: '', x25519: '' }))
  const deps = { dataDir: folder, identity: answered, clock: realClock, log: silentLogger }
  const rotation = await openKeyRotation(deps)
  const real = createControllerClient(
    { url: world.secondProxy.url, ca: undefined },
    createRequestSigner(rotation.identity, realClock),
  )
  const client: ControllerClient = {
    ...real,
    post: async (options) => {
      const answer = await real.post(options)
      answers.set(options.path, JSON.stringify(answer))
      return answer
    },
  }
  await rotation.rotate(client)
  await client.post({ path: agentPaths.leave, body: {} })
  client.close()
  return answers
}
let answersOfC: Promise<Map<string, string>> | undefined
const ofC = (path: string) => async (): Promise<Arrived> => {
  const answers = await (answersOfC ??= comeAndGo())
  const onWire = path === agentPaths.join ? '' : await passed(path)
  return { 'the machine': [answers.get(path)!], 'the wire': [onWire] }
}

/** The login that a rotation makes is set by machine A, which does not answer: it stays staged. */
const startRotation = async (): Promise<void> => {
  const made: string[] = []
  world.onTask = ({ id, step, params }) => {
    const { login } = params as { login?: { password: string } }
    if (login !== undefined) made.push(login.password)
    if (step === 'set') world.canaries.add('staged login', login!.password)
    else
      background(
        world.a.post(agentPaths.tasks, {
          id,
          facts: { accepted: 'refused', sessions: 0, ended: true },
        }),
      )
  }
  for (const output of ['username', 'password'])
    await world.apply('StagelySecret', `db-${output}`, {
      projectRef: { name: 'shop' },
      key: `DB_${output.toUpperCase()}`,
      scope: 'web',
      valueFrom: { rotation: { name: 'db', output } },
    })
  await world.apply('Rotation', 'db', {
    projectRef: { name: 'shop' },
    outputs: { username: 'db-username', password: 'db-password' },
    rotator: {
      postgres: {
        in: { stagelet: 'web-a', service: 'db', adminRef: { name: 'db-admin' } },
        database: 'app',
        owner: 'app',
        roles: ['app_a', 'app_b'],
      },
    },
  })
}
const background = (promise: Promise<unknown>): void => {
  promise.catch(() => undefined)
}

const ofA = ['own', 'plain']

/** In the order in which they are sent. */
const drivers: Readonly<Record<string, () => Promise<Arrived>>> = {
  join: ofC(agentPaths.join),
  stream: async () => ({ 'the wire': [await passed(agentPaths.stream)] }),
  hello: async () => ({ A: [await world.a.told('hello')], B: [await world.b.told('hello')] }),
  bundle: async () => {
    const isWhole = (text: string): boolean => text.includes('"PLAIN"')
    return {
      A: [await world.a.told('bundle', isWhole), ...ofA],
      B: [await world.b.told('bundle', isWhole), 'of machine B', 'plain'],
    }
  },
  desired: async () => ({ A: [await world.a.told('desired')], B: [await world.b.told('desired')] }),
  stagelet: async () => {
    await setStagelet('web-a', { directory: '/srv/changed' })
    const isNew = (text: string): boolean => text.includes('/srv/changed')
    return { A: [await world.a.told('stagelet', isNew)], B: [await world.b.told('desired')] }
  },
  removed: async () => {
    await setStagelet('web-b', { directory: '/srv/b' }, { agent: 'nobody' })
    const told = await world.b.told('removed')
    await setStagelet('web-b', { directory: '/srv/b' }, { agent: 'box-b' })
    return { B: [told] }
  },
  order: async () => ({ A: [await world.a.told('order')], B: [await world.b.told('order')] }),
  report: async () => {
    const observations = [{ stageletUid: 'of-another-machine' }]
    const body = { boot: world.a.boot, seq: 1, observations }
    return {
      A: [await world.a.post(agentPaths.report, body)],
      'the wire': [await passed(agentPaths.report)],
    }
  },
  logs: async () => ({ A: [(await readLogs('first', world.firstProxy.url))[0]] }),
  'log-lines': async () => ({
    A: [(await readLogs('first', world.firstProxy.url))[1]],
    B: [await world.b.post(agentPaths.logs, { session: 'of A', seq: 0, records: [] })],
  }),
  askRequest: async () => ({ replica: [await passed('/peer/v1/logs/ask')] }),
  takeRequest: async () => {
    await readLogs('second', world.firstProxy.url)
    return { replica: [await passed('/peer/v1/logs/take')] }
  },
  countPrinted: async () => {
    const asked = world.admin('POST', `${stagelet('web-a')}/printed`, { tail: 100 })
    const told = await world.a.told('countPrinted')
    const { id } = JSON.parse(told) as { id: string }
    const printed = { services: [], complete: true }
    await world.a.post(agentPaths.tasks, { id, printed })
    return { A: [told], 'who asks': [JSON.stringify(await asked)] }
  },
  lookFor: async () => {
    const asked = (await where('first', 'of-b')) + (await where('first', 'own'))
    return {
      A: [await world.a.told('lookFor'), 'own'],
      B: [await world.b.told('lookFor'), 'of machine B'],
      'who asks': [asked],
    }
  },
  task: async () => {
    await startRotation()
    const told = await world.a.told('task', (text) => text.includes('"step":"set"'))
    return { A: [told, 'of the administrator', 'staged login'] }
  },
  taskRequest: async () => ({ replica: [await passed('/peer/v1/tasks/ask')] }),
  'task-facts': async () => {
    const { id } = JSON.parse((await world.a.told('task')).split('\n').at(-1)!) as { id: string }
    const fault = { kind: 'Unreachable', message: 'later' }
    return {
      B: [await world.b.post(agentPaths.tasks, { id, fault })],
      A: [await world.a.post(agentPaths.tasks, { id, fault })],
    }
  },
  takeTaskRequest: async () => {
    world.answersAt = world.firstProxy.url
    await where('second', 'own')
    return { replica: [await passed('/peer/v1/tasks/take')] }
  },
  sign: async () => {
    await world.a.heartbeat(world.secondProxy.url)
    return { 'the wire': [await passed(agentPaths.sign)] }
  },
  revealSecret: reveals('/secrets/in-preview/reveal', {
    owner: ['of preview'],
    preview: ['of preview'],
  }),
  revealSecrets: reveals('/reveal', {
    owner: [
      ...['own', 'of machine B', 'of preview', 'plain'],
      ...['for the controller', 'of the administrator'],
    ],
    preview: ['of preview', 'plain'],
  }),
  createJoinToken: shownOnce('createJoinToken', '/agents/default%2Fbox-a/join-token', 'token'),
  createToken: shownOnce('createToken', '/tokens', 'token', { name: 'mine' }),
  createTokenOfTeam: shownOnce('createTokenOfTeam', '/teams/default/tokens', 'token', {
    name: 'ci',
    role: 'maintainer',
  }),
  createTokenOfUser: shownOnce('createTokenOfUser', '/users/viewer/tokens', 'token', { name: 'x' }),
  createSessionCode: shownOnce('createSessionCode', '/session/codes', 'url'),
  heartbeatsRequest: async () => {
    const path = '/peer/v1/signs'
    // The first replica hears of the second one by and by.
    await passes(async () => {
      await world.a.heartbeat(world.firstProxy.url)
      return world.secondProxy.recorded.some((one) => one.path === path)
    })
    return { replica: [await passed(path)] }
  },
  rotateKeys: async () => {
    await world.admin('POST', '/agents/default%2Fbox-a/rotate-keys')
    return { A: [await world.a.told('rotateKeys')] }
  },
  keys: ofC(agentPaths.keys),
  leave: ofC(agentPaths.leave),
  error: async () => {
    await world.admin('POST', '/agents/default%2Fbox-b/revoke')
    return { B: [await world.b.told('error')] }
  },
  reconnect: async () => {
    await world.second.stop()
    return { A: [await world.a.told('reconnect')] }
  },
}

beforeAll(async () => {
  folder = await mkdtemp(join(memoryFolder, 'stagely-learns-'))
  world = await startLearningWorld()
})
afterAll(async () => {
  await world?.stop()
  await rm(folder, { recursive: true, force: true })
})

it('every message of the table is sent here', () => {
  expect(Object.keys(drivers).sort()).toEqual(toldMessages)
})

it.each(Object.keys(drivers))('%s tells what the table says, and no other value', async (name) => {
  const arrived = await drivers[name]!()
  const learnt = Object.entries(arrived).map(([who, [text]]) => [who, world.canaries.in(text)])
  const said = Object.entries(arrived).map(([who, [, ...learns]]) => [who, learns])
  expect(learnt).toEqual(said)
})

const idIn: Readonly<Record<string, string>> = {
  ':project_id': 'default%2Fshop',
  ':stagelet_id': 'default%2Fweb-a',
  ':agent_id': 'default%2Fbox-a',
  ':secret_id': 'own',
  ':version': '1',
  ':name': 'own',
  ':kind': 'stagelysecrets',
}
const pathOf = (path: string): string =>
  path.replace(/:[a-z_]+/g, (name) => idIn[name] ?? 'default')

/** Streams do not end by themselves. */
const reads = [
  ...restRoutes.filter(({ method }) => method === 'GET').map(({ path }) => `/api/v1${path}`),
  ...['stagelysecrets', 'stagelets', 'projects', 'agents', 'rotations', 'events'].map(
    (plural) => `/apis/stagely.dev/v1alpha1/namespaces/default/${plural}`,
  ),
  ...['/metrics', '/readyz', '/openapi/v3', '/api/v1/projects/default%2Fshop/secrets?values=true'],
].filter((path) => !/\/(stream|logs)$/.test(path))

const everybody: Readonly<Record<Who, readonly string[]>> = {
  viewer: ['plain'],
  auditor: ['plain'],
  // A secret of the whole project is shown without its value to who sees a part of it.
  'developer of preview': [],
  preview: [],
  owner: ['plain'],
  admin: ['plain'],
}

it.each(Object.entries(everybody) as [Who, readonly string[]][])(
  'who is %s reads no other value than %j, wherever there is something to read',
  async (who, learns) => {
    const read = await Promise.all(
      reads.map(async (path) => ({ path, ...(await world.by(who, 'GET', pathOf(path))) })),
    )
    expect(read.filter(({ status }) => status === 200).length).toBeGreaterThan(15)
    const found = read.flatMap(({ path, text }) =>
      world.canaries
        .in(text)
        .map((canary) => (learns.includes(canary) ? canary : `${canary}: ${path}`)),
    )
    expect([...new Set(found)]).toEqual(learns)
  },
)

it('a page has the secret of its session in the cookie alone', async () => {
  const headers = { authorization: '', 'sec-fetch-site': 'same-origin' }
  const { token } = (await world.admin('POST', '/tokens', { name: 'page' })).json<{
    token: string
  }>()
  const opened = await world.first.call('POST', '/api/v1/session', { headers, body: { token } })
  const [cookie = ''] = opened.headers['set-cookie']![0]!.split(';')
  world.canaries.add('session', cookie.split('=')[1]!)
  const own = { ...headers, cookie }
  const read = await Promise.all(
    [...reads, '/ui/'].map((path) => world.first.call('GET', pathOf(path), { headers: own })),
  )
  expect(read.filter(({ status }) => status === 200).length).toBeGreaterThan(20)
  const texts = [opened.text, ...read.map(({ text, headers }) => text + JSON.stringify(headers))]
  const found = texts.flatMap((text) => world.canaries.in(text))
  expect(found.filter((canary) => canary !== 'plain')).toEqual([])
})

it('nobody between machines and controllers, or between controllers, learns a value', () => {
  for (const proxy of [world.firstProxy, world.secondProxy]) {
    expect(proxy.recorded.length).toBeGreaterThan(5)
    expect(world.canaries.in(proxy.everything())).toEqual([])
  }
})
