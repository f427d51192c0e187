// What somebody between agent and controller can do who ends TLS and records every byte: nothing but
// cut. And what nobody in particular can do to an agent's identity.
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createControllerClient } from '../../../agent/link/controller-client.ts'
import { loadAgentIdentity, type AgentIdentity } from '../../../agent/identity/identity.ts'
import { joinController } from '../../../agent/link/join.ts'
import { openKeyRotation } from '../../../agent/link/key-rotation.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { generateKeys } from '../../../src/protocol/keys.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import {
  actor,
  createStack,
  eventually,
  joinTestAgent,
  putSecrets,
  skewClock,
  startTestAgent,
  startTestController,
  type TestAgent,
  type TestController,
} from '../../support/agents/agent-protocol.ts'
import { joinBody } from '../../support/agents/join-body.ts'
import {
  startRecordingProxy,
  type Recorded,
  type RecordingProxy,
} from '../../support/http/recording-proxy.ts'
import { sendSlowBodies } from '../../support/http/slow-bodies.ts'
import { createTestDatabase, type TestDatabase } from '../../support/databases/test-database.ts'

const canary = 'canary-value-5513'
const logLine = 'canary-line-of-a-log'
const weak = Buffer.alloc(32).toString('base64url')

let db: TestDatabase
let controller: TestController
const agents: TestAgent[] = []
const start = (...args: Parameters<typeof startTestAgent>): TestAgent => {
  const agent = startTestAgent(...args)
  agents.push(agent)
  return agent
}
const ref = (name: string) => ({ kind: 'Agent', namespace: 'default', name })
const jsonPost = (path: string, body: object, headers: Record<string, string> = {}): Recorded => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json', ...headers },
  body: Buffer.from(JSON.stringify(body)),
})

beforeAll(async () => {
  db = await createTestDatabase(inject('postgresUrl'))
  controller = await startTestController(db.url, { joinsPerSecond: 20, connectsPerSecond: 20 })
})
afterAll(async () => {
  for (const agent of agents) await agent.stop()
  await controller.close()
  await db.drop()
})

describe('a proxy that ends TLS and records everything', () => {
  let proxy: RecordingProxy
  let agent: TestAgent
  let identity: AgentIdentity
  /** What the agent has said of itself, and must not be seen. */
  const hidden: string[] = []
  let sent = 0
  const report = (): Promise<unknown> =>
    agent.client.post({
      path: agentPaths.report,
      body: { boot: agent.boot, seq: 1_000 + sent++, observations: [] },
    })
  const isUndisturbed = async (): Promise<void> => {
    expect(agent.connections).toBe(1)
    const now = `v${sent++}`
    const revision = await putSecrets(controller, 'shop', { A: now })
    await eventually(() => agent.wants.at(-1) === `shop r${revision} A=${now},CANARY=${canary}`)
    await report()
    expect(agent.connections).toBe(1)
  }

  beforeAll(async () => {
    proxy = await startRecordingProxy(controller)
    await createStack(controller, 'shop', 'box')
    await putSecrets(controller, 'shop', { CANARY: canary })
    const dir = await mkdtemp(join(tmpdir(), 'stagely-proxy-'))
    const token = await controller.token('box', { url: proxy.url })
    identity = await joinController(dir, token, '0.0.1')
    const keys = (await controller.opened.agents.keysOf(identity.agentUid))!
    hidden.push(token.tokenSecret, keys.ed25519, keys.x25519)
    const rotation = await openKeyRotation({
      dataDir: dir,
      identity,
      clock: realClock,
      log: silentLogger,
    })
    const client = createControllerClient(
      identity,
      createRequestSigner(rotation.identity, realClock),
    )
    await rotation.rotate(client)
    client.close()
    identity = (await loadAgentIdentity(dir))!
    hidden.push(await readFile(join(dir, 'identity.json'), 'utf8'))
    await rm(dir, { recursive: true })
    agent = start(identity)
    await eventually(() => agent.wants.length > 0)
    await report()
    const line = {
      type: 'line',
      service: 'web',
      container: 'c',
      stream: 'stdout',
      time: '2026-01-31T10:00:00Z',
      text: logLine,
    }
    const batch = { session: 'nobody', seq: 0, records: [line] }
    await expect(agent.client.post({ path: agentPaths.logs, body: batch })).rejects.toMatchObject({
      status: 404,
    })
    const done = { id: randomUUID(), fault: { kind: 'Failed', message: logLine } }
    expect(await agent.client.post({ path: agentPaths.tasks, body: done })).toEqual({
      state: 'ended',
    })
  })
  afterAll(() => {
    proxy.close()
  })

  test('reads no value, no key, no log line and no order', async () => {
    // A heartbeat is the last to come: one is sent every 8 s. Who leaves is gone, and an ephemeral agent alone may leave.
    await expect
      .poll(() => new Set(proxy.recorded.map(({ path }) => path)))
      .toEqual(new Set(Object.values(agentPaths).filter((path) => path !== agentPaths.leave)))
    const everything = proxy.everything()
    for (const text of [canary, 'CANARY', logLine, '/srv/shop', 'observations', ...hidden]) {
      for (const form of [text, Buffer.from(text).toString('base64').slice(0, -3)])
        expect(everything.includes(form), text.slice(0, 20)).toBe(false)
    }
  })

  test('repeats nothing: here, at another replica, or after a restart', async () => {
    const recorded = [...proxy.recorded]
    const { body } = recorded.find(({ path }) => path === agentPaths.stream)!
    expect(body.length).toBeGreaterThan(0)
    const replica = await controller.replica()
    for (const to of [controller.url, replica.url]) {
      for (const request of recorded) {
        const { status, text } = await proxy.send(to, request)
        expect([status, request.path], text).toEqual([401, request.path])
      }
    }
    await isUndisturbed()
    await replica.close()
    await isUndisturbed()
  })

  test('has one name, so that what one agent may do is counted once', async () => {
    const other = { ...identity, agentUid: identity.agentUid.toUpperCase() }
    const client = createControllerClient(other, createRequestSigner(other, realClock))
    const body = { boot: agent.boot, seq: 5_000, observations: [] }
    await expect(client.post({ path: agentPaths.report, body })).rejects.toMatchObject({
      reason: 'UnknownAgent',
    })
    client.close()
    await isUndisturbed()
  })

  test('says nothing of the clock of an agent by what it has recorded long ago', async () => {
    const recorded = proxy.recorded.filter(({ path }) => path === agentPaths.stream)
    const replica = await controller.replica()
    skewClock(controller, 7 * 60_000)
    try {
      for (const request of recorded)
        expect((await proxy.send(replica.url, request)).status).toBe(401)
    } finally {
      skewClock(controller, 0)
      await replica.close()
    }
    const { items } = await controller.opened.store.list('Event')
    expect(items.filter(({ spec }) => spec?.reason === 'Refused')).toEqual([])
    await isUndisturbed()
  })

  test('makes nothing: no part of a request may be another', async () => {
    const raised = (header = ''): string => {
      const [form, rest = ''] = header.split(' ')
      const [session, counter, ...more] = rest.split('.')
      return [form, [session, Number(counter) + 1, ...more].join('.')].join(' ')
    }
    const ways: Record<string, (request: Recorded) => Recorded> = {
      path: (r) => ({ ...r, path: agentPaths.logs }),
      query: (r) => ({ ...r, path: `${r.path}?a=1` }),
      body: (r) => ({
        ...r,
        body: Buffer.from(r.body.map((byte, i) => (i === 3 ? byte ^ 1 : byte))),
      }),
      counter: (r) => ({
        ...r,
        headers: { ...r.headers, authorization: raised(r.headers.authorization) },
      }),
    }
    for (const [part, way] of Object.entries(ways)) {
      proxy.tamper = way
      await expect(report(), part).rejects.toMatchObject({ status: 401, reason: 'BadProof' })
    }
    proxy.tamper = (r) => ({ ...r, method: 'PUT' })
    await expect(report()).rejects.toMatchObject({ status: 404 })
    await isUndisturbed()
  })

  test('answers nothing in the controller’s place', async () => {
    proxy.tamper = (_request, res) => {
      res.writeHead(200, { 'content-type': 'application/json' }).end('{"refused":[]}')
      return undefined
    }
    await expect(report()).rejects.toThrow(/answered in its place/)
    await isUndisturbed()
  })

  test('does not get its keys taken, with whatever it has seen', async () => {
    const before = await controller.opened.agents.keysOf(identity.agentUid)
    const [ed25519, x25519] = [generateKeys('Ed25519'), generateKeys('X25519')].map((pair) =>
      pair.publicKey.toString('base64url'),
    )
    for (const { headers } of proxy.recorded) {
      const swapped = jsonPost(
        agentPaths.keys,
        { ed25519, x25519, proof: 'x' },
        { authorization: headers.authorization ?? 'Bearer a.b.c' },
      )
      expect((await proxy.send(controller.url, swapped)).status).toBeGreaterThanOrEqual(401)
    }
    expect(await controller.opened.agents.keysOf(identity.agentUid)).toEqual(before)
    await isUndisturbed()
  })

  test('finds no session that new keys could be sent in: the key itself signs them', async () => {
    const first = proxy.recorded.length
    const body = { ed25519: 'x', x25519: 'x', proof: 'x' }
    await expect(agent.client.post({ path: agentPaths.keys, body })).rejects.toMatchObject({
      status: 400,
    })
    const tries = proxy.recorded
      .slice(first)
      .filter(({ path }) => path === agentPaths.keys)
      .map(({ headers, status }) => [headers.authorization?.split(' ')[0], status])
    expect(tries).toEqual([
      ['Stagely-Session', 401],
      ['Stagely-Key', 400],
    ])
  })

  test('an agent of the version before, which trusted it with a token, is told what to do', async () => {
    const old = [
      jsonPost(agentPaths.stream, {}, { authorization: 'Bearer a.b.c' }),
      jsonPost(agentPaths.join, { protocol: '1.1', tokenId: 'a', tokenSecret: 'b' }),
    ]
    for (const request of old) {
      const { status, text } = await proxy.send(controller.url, request)
      expect([status, JSON.parse(text)]).toEqual([
        426,
        {
          reason: 'Protocol',
          message: expect.stringMatching(
            /update the agent: .*systemctl restart stagely-agent/,
          ) as string,
        },
      ])
    }
  })
})

test('whoever has no credentials keeps nobody out, of a stream or a join', async () => {
  const identity = await joinTestAgent(await controller.token('calm'))
  const client = createControllerClient(identity, createRequestSigner(identity, realClock))
  const proxy = await startRecordingProxy(controller)
  const flood = (path: string, body: object = {}): Promise<number[]> =>
    Promise.all(
      Array.from(
        { length: 60 },
        async () => (await proxy.send(controller.url, jsonPost(path, body))).status,
      ),
    )
  expect(new Set(await flood(agentPaths.join))).toEqual(new Set([400]))
  expect(new Set(await flood(agentPaths.stream))).toEqual(new Set([401]))
  await expect(client.post({ path: agentPaths.stream, body: {} })).rejects.toMatchObject({
    status: 400,
  })
  const token = await controller.token('calm-2')
  // Sealed as an agent does it, by somebody whose token is none.
  const junk = joinBody({ ...token, tokenSecret: 'none' })
  expect(new Set(await flood(agentPaths.join, junk))).toEqual(new Set([401]))
  await joinTestAgent(token)
  proxy.close()
  client.close()
})

test('one header of an agent on 200 slow connections reserves one body, and keeps the agent not out', async () => {
  const identity = await joinTestAgent(await controller.token('slow'))
  const signer = createRequestSigner(identity, realClock)
  const client = createControllerClient(identity, createRequestSigner(identity, realClock))
  const what = { boot: randomUUID(), seq: 1, observations: [] }
  const large = { ...what, observations: [], ignored: 'x'.repeat(60_000) }
  const headerOf = (counted: number) => {
    const signed = signer.sign(
      { method: 'POST', path: agentPaths.report, body: large },
      { counted },
    )
    return { body: signed.body, headers: { authorization: signed.authorization } }
  }
  const { body, headers } = headerOf(0)
  const target = { url: controller.url, path: agentPaths.report, headers }
  const before = controller.bodies.held
  const slow = await sendSlowBodies(200, target, body)
  await expect.poll(() => slow.statuses()).toEqual(Array(199).fill(401))
  expect(controller.bodies.held - before).toBeLessThanOrEqual(body.length)
  // Headers of their own: so many bodies come at once, and the others are put off.
  const others = await Promise.all(
    Array.from({ length: 20 }, (_, i) => {
      const own = headerOf(i + 1)
      return sendSlowBodies(1, { ...target, headers: own.headers }, own.body)
    }),
  )
  const put = (): number[] => others.flatMap((one) => one.statuses())
  await expect.poll(put).toEqual(Array(13).fill(429))
  expect(controller.bodies.held - before).toBeLessThanOrEqual(8 * body.length)
  for (const one of [slow, ...others]) one.close()
  await expect.poll(() => controller.bodies.held).toBe(before)
  expect(await client.post({ path: agentPaths.report, body: what })).toEqual({ refused: [] })
  client.close()
})

test('a name that joins anew is another: its stream is cut, what it gets is audited again, and all is told', async () => {
  await createStack(controller, 'twice', 'twice')
  const revision = await putSecrets(controller, 'twice', { A: 'one' })
  const first = start(await joinTestAgent(await controller.token('twice')))
  await eventually(() => first.wants.includes(`twice r${revision} A=one`))
  await controller.opened.agents.revoke(ref('twice'), actor)
  const second = start(await joinTestAgent(await controller.token('twice')))
  await eventually(() => second.wants.includes(`twice r${revision} A=one`))
  await eventually(() =>
    first.logs.some((l) =>
      ['Revoked', 'KeysRotated', 'Replaced'].includes(String(l.fields.reason)),
    ),
  )
  const { audit, store } = controller.opened
  const by = 'agent:default/twice'
  const list = async (action: string) =>
    (await audit.list({ teams: undefined, by, action }, { limit: 10 })).records
  const delivered = await list('deliver')
  expect(delivered.map(({ object }) => object.name)).toEqual(['twice', 'twice'])
  const joins = (await list('join')).map(({ detail }) => detail?.['keys'])
  expect(delivered.map(({ detail }) => detail?.['keys'])).toEqual(joins)
  expect(new Set(joins).size).toBe(2)
  const events = (await store.list('Event', { namespace: 'default' })).items
    .map(({ spec }) => spec)
    .filter((e) => e.involvedObject.name === 'twice' && e.involvedObject.kind === 'Agent')
  for (const keys of joins)
    expect(events.some((e) => e.reason === 'Joined' && e.message.includes(String(keys)))).toBe(true)
  expect(events.some((e) => e.reason === 'Revoked' && e.message.includes(String(joins[1])))).toBe(
    true,
  )
})

test('keys with which anybody could read or sign do not join, and no number is out of all bounds', async () => {
  const proxy = await startRecordingProxy(controller)
  const token = await controller.token('odd')
  for (const keys of [{ x25519: weak }, { ed25519: weak }]) {
    const { status, text } = await proxy.send(
      controller.url,
      jsonPost(agentPaths.join, joinBody(token, keys)),
    )
    expect([status, text]).toEqual([400, expect.stringContaining('key is weak') as string])
  }
  const agent = start(await joinTestAgent(token))
  for (const seq of [9e15, 2 ** 31, -1]) {
    const post = agent.client.post({
      path: agentPaths.report,
      body: { boot: 'b', seq, observations: [] },
    })
    await expect(post).rejects.toThrow(/malformed at: seq$/)
  }
  proxy.close()
})
