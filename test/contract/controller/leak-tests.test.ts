// Leak tests, from REST to the agent and back, over real TLS: what becomes of each order, and who may
// give one. The counting itself is in test/integration/agent-logs.test.ts.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createControllerClient } from '../../../agent/link/controller-client.ts'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import type { LeakTestOrder } from '../../../src/protocol/leak-test.ts'
import { agentPaths, type OnDemandOrder } from '../../../src/protocol/messages.ts'
import {
  eventually,
  joinTestAgent,
  startTestAgent,
  type TestAgent,
} from '../../support/agents/agent-protocol.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { runCli } from '../../support/programs/cli.ts'

interface LeakTest {
  readonly id: string
  readonly state: string
  readonly message?: string
  readonly lines: number
  readonly finished_at?: string
}

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
const service = {
  name: 'web',
  lines: 40,
  hits: [{ key: 'STRIPE_SECRET_KEY', count: 37 }],
  unmaskable: ['PORT'],
}

describe('a leak test', () => {
  let controller: TestController
  let identity: AgentIdentity
  let agent: TestAgent | undefined
  const orders: LeakTestOrder[] = []
  const path = '/api/v1/stagelets/default%2Fshop/leak-tests'

  const start = async (): Promise<LeakTest> => {
    const answer = await controller.call('POST', path, { body: { tail: 500 } })
    expect(answer.status, answer.text).toBe(202)
    return answer.json()
  }
  const read = async (id: string): Promise<LeakTest> =>
    (await controller.call('GET', `${path}/${id}`)).json()
  const connect = async (knows?: string[]): Promise<TestAgent> => {
    await agent?.stop()
    agent = startTestAgent(identity, {
      ...(knows === undefined ? {} : { knows }),
      onAsked: (order: OnDemandOrder) => {
        if (order.type === 'leakTest') orders.push(order)
      },
    })
    await eventually(() => agent?.connections === 1)
    return agent
  }
  const say = (body: object): Promise<unknown> =>
    agent!.client.post({ path: agentPaths.leakTests, body })

  beforeAll(async () => {
    controller = await startTestController()
    const created = await controller.call('POST', '/api/v1/agents', {
      body: { team: 'default', name: 'box' },
    })
    const { id } = created.json<{ id: string }>()
    const token = await controller.call('POST', `/api/v1/agents/${id}/join-token`, { body: {} })
    identity = await joinTestAgent(parseJoinToken(token.json<{ token: string }>().token))
    for (const [kind, name, spec] of [
      ['Project', 'shop', {}],
      [
        'Stagelet',
        'shop',
        {
          projectRef: { name: 'shop' },
          agentRef: { name: 'box' },
          compose: { directory: '/srv/shop' },
        },
      ],
    ] as const)
      await controller.call('POST', `${kube}/${kind.toLowerCase()}s`, {
        body: { apiVersion: 'stagely.dev/v1alpha1', kind, metadata: { name }, spec },
      })
  })
  afterAll(async () => {
    await agent?.stop()
    await controller?.remove()
  })

  it('of an agent that is away ends at once and says so', async () => {
    const test = await start()
    expect(test).toMatchObject({ state: 'agent_away', lines: 0, tail: 500, services: [] })
    expect(test.message).toMatch(/default\/box has no connection/)
    expect(test.finished_at).toBeDefined()
    expect(await read(test.id)).toEqual(test)
  })

  it('of an agent one version older says so, and sends no order', async () => {
    await connect([])
    const test = await start()
    expect(test).toMatchObject({ state: 'agent_too_old' })
    expect(test.message).toMatch(/older than leak tests: upgrade it/)
    expect(orders).toEqual([])
  })

  it('waits, runs and ends with counts by key', async () => {
    await connect()
    const test = await start()
    expect(test.state).toBe('waiting')
    await eventually(() => orders.length === 1)
    expect(orders[0]).toMatchObject({ type: 'leakTest', id: test.id, tail: 500 })
    const second = await controller.call('POST', path, { body: {} })
    expect([second.status, second.json<{ reason: string }>().reason]).toEqual([409, 'Conflict'])
    expect(await say({ id: test.id, lines: 12 })).toEqual({ state: 'taken' })
    expect(await read(test.id)).toMatchObject({ state: 'running', lines: 12 })
    const end = { id: test.id, lines: 40, end: { services: [service], complete: true } }
    expect(await say(end)).toEqual({ state: 'taken' })
    expect(await say(end)).toEqual({ state: 'ended' })
    expect(await read(test.id)).toMatchObject({
      state: 'done',
      complete: true,
      lines: 40,
      services: [service],
    })
    const list = await controller.call('GET', path)
    const states = list.json<{ leak_tests: LeakTest[] }>().leak_tests.map(({ state }) => state)
    expect(states).toEqual(['done', 'agent_too_old', 'agent_away'])
  })

  it('is asked for, taken and shown by another replica than the one that the agent is connected to', async () => {
    const other = await startTestController({ dataDir: controller.dataDir })
    try {
      const asked = await other.call('POST', path, { body: { tail: 200 } })
      expect(asked.status, asked.text).toBe(202)
      const { id, state } = asked.json<LeakTest>()
      expect(state).toBe('waiting')
      await eventually(() => orders.at(-1)?.id === id)
      // A load balancer leads the agent's answers to either.
      expect(await say({ id, lines: 12 })).toEqual({ state: 'taken' })
      const endpoint = { url: other.url, ca: identity.ca }
      const client = createControllerClient(endpoint, createRequestSigner(identity, realClock))
      const end = { id, lines: 40, end: { services: [service], complete: true } }
      const body = { path: agentPaths.leakTests, body: end }
      expect(await client.post(body)).toEqual({ state: 'taken' })
      client.close()
      const done = { state: 'done', lines: 40, services: [service] }
      expect(await read(id)).toMatchObject(done)
      expect((await other.call('GET', `${path}/${id}`)).json()).toMatchObject(done)
    } finally {
      await other.stop()
    }
  })

  it('takes why an agent counts nothing, and nothing from others or in another shape', async () => {
    const test = await start()
    const end = { services: [], complete: false, error: 'it runs 2 leak tests already' }
    expect(await say({ id: randomUUID(), lines: 0, end })).toEqual({ state: 'ended' })
    await expect(say({ id: test.id, lines: -1 })).rejects.toMatchObject({ status: 400 })
    await expect(say({ id: test.id, lines: 0, end: { text: 'x' } })).rejects.toMatchObject({
      status: 400,
    })
    expect(await say({ id: test.id, lines: 0, end })).toEqual({ state: 'taken' })
    expect(await read(test.id)).toMatchObject({ state: 'failed', message: end.error })
  })

  it('is run by the command line, which exits with 3 when something was printed', async () => {
    const leakTest = (...flags: string[]): ReturnType<typeof runCli> =>
      runCli(['leak-test', 'shop', ...flags], {
        HOME: controller.dataDir,
        STAGELY_SERVER: controller.url,
        STAGELY_TOKEN: controller.token,
        STAGELY_CA_FILE: `${controller.dataDir}/ca.crt`,
      })
    const answering = async (...flags: string[]): ReturnType<typeof runCli> => {
      const before = orders.length
      const running = leakTest(...flags)
      await eventually(() => orders.length > before)
      const { id } = orders.at(-1)!
      await say({ id, lines: 40, end: { services: counted, complete: true } })
      return running
    }
    let counted: object[] = [service]
    const found = await answering('--tail', '50')
    expect([found.code, orders.at(-1)?.tail]).toEqual([3, 50])
    expect(found.stderr).toContain('waiting for the agent')
    expect(found.stdout).toMatch(/^web +40 +STRIPE_SECRET_KEY 37x +PORT$/m)
    expect(found.stdout).toContain('37 hits in 40 lines')
    counted = [{ ...service, hits: [] }]
    const clean = await answering('-o', 'json')
    expect([clean.code, JSON.parse(clean.stdout)]).toMatchObject([0, { state: 'done', lines: 40 }])
    counted = [{ ...service, hits: [], fault: 'its log cannot be read' }]
    expect(await answering()).toMatchObject({ code: 1 })
    await agent!.stop()
    await eventually(async () => (await start()).state === 'agent_away')
    const away = await leakTest()
    expect([away.code, away.stderr]).toEqual([
      1,
      expect.stringContaining('has no connection to a controller'),
    ])
  })

  it('is audited, bounded in lines, and not found elsewhere', async () => {
    const rows = await controller.call('GET', '/api/v1/audit?action=test%20for%20leaks')
    const { rows: noted } = rows.json<{ rows: object[] }>()
    const of = { object: { kind: 'Stagelet', name: 'shop' }, detail: { tail: 500 } }
    expect(noted.at(-1)).toMatchObject(of)
    for (const tail of [0, 100_001]) {
      const answer = await controller.call('POST', path, { body: { tail } })
      expect(answer.status).toBe(422)
    }
    expect((await controller.call('GET', `${path}/${randomUUID()}`)).status).toBe(404)
    expect((await controller.call('GET', `${path}/nothing`)).status).toBe(404)
  })
})
