// What stacks have printed, from REST to the agent and back, over real TLS: what becomes of each order, and who may give one. The counting itself is in test/integration/agent-logs.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createControllerClient } from '../../../agent/link/controller-client.ts'
import type { AgentIdentity } from '../../../agent/identity/identity.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import type { CountOrder } from '../../../src/protocol/printed.ts'
import { agentPaths, type OnDemandOrder } from '../../../src/protocol/messages.ts'
import {
  eventually,
  joinTestAgent,
  startTestAgent,
  type TestAgent,
} from '../../support/agents/agent-protocol.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { runCli } from '../../support/programs/cli.ts'

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
const service = {
  name: 'web',
  lines: 40,
  hits: [{ key: 'STRIPE_SECRET_KEY', count: 37 }],
  unmaskable: ['PORT'],
}

const printed = { services: [service], complete: true }

describe('what the containers of a stack have printed', () => {
  let controller: TestController
  let identity: AgentIdentity
  let agent: TestAgent | undefined
  const orders: CountOrder[] = []
  const path = '/api/v1/stagelets/default%2Fshop/printed'

  const ask = (tail = 500): ReturnType<TestController['call']> =>
    controller.call('POST', path, { body: { tail } })
  /** The order that `asking` leads to, and its answer. */
  const answering = async <T>(
    asking: () => Promise<T>,
    answer: object,
    post = (body: object): Promise<unknown> => agent!.client.post({ path: agentPaths.tasks, body }),
  ): Promise<T> => {
    const before = orders.length
    const asked = asking()
    await eventually(() => orders.length > before)
    expect(await post({ id: orders.at(-1)!.id, ...answer })).toEqual({ state: 'taken' })
    return asked
  }
  const connect = async (knows?: string[]): Promise<TestAgent> => {
    await agent?.stop()
    agent = startTestAgent(identity, {
      ...(knows === undefined ? {} : { knows }),
      onAsked: (order: OnDemandOrder) => {
        if (order.type === 'countPrinted') orders.push(order)
      },
    })
    await eventually(() => agent?.connections === 1)
    return agent
  }
  beforeAll(async () => {
    controller = await startTestController()
    const created = await controller.call('POST', '/api/v1/agents', {
      body: { team: 'default', name: 'box' },
    })
    const { id } = created.json<{ id: string }>()
    const token = await controller.call('POST', `/api/v1/agents/${id}/join-token`, { body: {} })
    identity = await joinTestAgent(parseJoinToken(token.json<{ token: string }>().token))
    for (const [kind, name, spec] of [
      ['Project', 'shop', { environments: [{ name: 'production' }, { name: 'preview' }] }],
      [
        'Stagelet',
        'shop',
        {
          projectRef: { name: 'shop' },
          environment: 'preview',
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

  it('is not known where its agent is away, which is said at once', async () => {
    const asked = await ask()
    expect([asked.status, asked.json<{ detail: string }>().detail]).toEqual([
      503,
      'agent "box" has counted nothing: it has no connection to a controller: look at its machine',
    ])
  })

  it('is not known where its agent is one version older, which gets no order', async () => {
    await connect([])
    const asked = await ask()
    expect([asked.status, asked.text]).toEqual([503, expect.stringContaining('upgrade it')])
    expect(orders).toEqual([])
  })

  it('is counted by key, for the one who asks', async () => {
    await connect()
    const asked = await answering(ask, { printed })
    expect(orders.at(-1)).toMatchObject({ type: 'countPrinted', tail: 500 })
    expect([asked.status, asked.json()]).toEqual([
      200,
      {
        stagelet: 'shop',
        tail: 500,
        lines: 40,
        ...printed,
        counted_at: expect.any(String) as string,
      },
    ])
  })

  it('is asked for by another replica than the one that the agent is connected to', async () => {
    const other = await startTestController({ dataDir: controller.dataDir })
    const endpoint = { url: other.url, ca: identity.ca }
    const client = createControllerClient(endpoint, createRequestSigner(identity, realClock))
    try {
      const askOther = () => other.call('POST', path, { body: { tail: 200 } })
      // A load balancer leads the agent's answer to either.
      for (const to of [agent!.client, client]) {
        const post = (body: object) => to.post({ path: agentPaths.tasks, body })
        const asked = await answering(askOther, { printed }, post)
        expect(asked.json()).toMatchObject({ lines: 40, services: [service] })
      }
    } finally {
      client.close()
      await other.stop()
    }
  })

  it('is not known where an agent says why it counts nothing, or answers in another shape', async () => {
    const fault = { kind: 'Failed', message: '4 others wait for this machine: try again' }
    const refused = await answering(ask, { fault })
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining(fault.message)])
    const before = orders.length
    const asked = ask()
    await eventually(() => orders.length > before)
    const body = { id: orders.at(-1)!.id, printed: { services: [{ text: 'x' }] } }
    await expect(agent!.client.post({ path: agentPaths.tasks, body })).rejects.toMatchObject({
      status: 400,
    })
    expect([(await asked).status, (await asked).text]).toEqual([
      503,
      expect.stringContaining('it answered wrongly'),
    ])
  })

  it('is not told to a narrowed login whose view the stagelet leaves while the agent counts', async () => {
    const grant = { name: 'ci', role: 'owner', projects: ['shop'], environments: ['preview'] }
    const made = await controller.call('POST', '/api/v1/teams/default/tokens', { body: grant })
    const authorization = `Bearer ${made.json<{ token: string }>().token}`
    const moveTo = async (environment: string): Promise<void> => {
      const headers = { 'content-type': 'application/merge-patch+json' }
      const body = { spec: { environment } }
      const moved = await controller.call('PATCH', `${kube}/stagelets/shop`, { headers, body })
      expect(moved.status, moved.text).toBe(200)
    }
    const askNarrowed = () =>
      controller.call('POST', path, { body: {}, headers: { authorization } })
    expect((await answering(askNarrowed, { printed })).status).toBe(200)
    const before = orders.length
    const asked = askNarrowed()
    await eventually(() => orders.length > before)
    await moveTo('production')
    await agent!.client.post({
      path: agentPaths.tasks,
      body: { id: orders.at(-1)!.id, printed },
    })
    expect((await asked).status).toBe(404)
    await moveTo('preview')
  })

  it('is printed by the command, which exits with 3 when something was printed', async () => {
    const where = (...words: string[]): ReturnType<typeof runCli> =>
      runCli(words, {
        HOME: controller.dataDir,
        STAGELY_SERVER: controller.url,
        STAGELY_TOKEN: controller.token,
        STAGELY_CA_FILE: `${controller.dataDir}/ca.crt`,
      })
    const of = (changes: object) => ({
      printed: { ...printed, services: [{ ...service, ...changes }] },
    })
    const found = await answering(() => where('where', '--logs', 'shop', '--tail', '50'), of({}))
    expect([found.code, orders.at(-1)?.tail]).toEqual([3, 50])
    expect(found.stdout).toMatch(/^web +40 +STRIPE_SECRET_KEY 37x +PORT$/m)
    expect(found.stdout).toContain('37 hits in 40 lines')
    const clean = await answering(
      () => where('where', 'shop', '--logs', '-o', 'json'),
      of({ hits: [] }),
    )
    expect([clean.code, JSON.parse(clean.stdout)]).toMatchObject([0, { lines: 40 }])
    const unread = of({ hits: [], fault: 'its log cannot be read' })
    expect(await answering(() => where('where', '--logs', 'shop'), unread)).toMatchObject({
      code: 1,
    })
    const former = await answering(() => where('leak-test', 'shop', '--tail', '7'), of({}))
    expect([former.code, former.stderr, orders.at(-1)?.tail]).toEqual([
      3,
      expect.stringContaining('"stagely leak-test" is "stagely where --logs" now'),
      7,
    ])
    for (const wrong of [['--logs'], ['--logs', 'shop', '--scope', 'web'], ['KEY', '--tail', '7']])
      expect(await where('where', ...wrong)).toMatchObject({ code: 2 })
    await agent!.stop()
    await eventually(async () => (await ask()).text.includes('has no connection'))
    const away = await where('where', '--logs', 'shop')
    expect([away.code, away.stderr]).toEqual([
      1,
      expect.stringContaining('has no connection to a controller'),
    ])
  })

  it('is audited, and bounded in lines', async () => {
    const rows = await controller.call('GET', '/api/v1/audit?action=count%20printed%20secrets')
    const { rows: noted } = rows.json<{ rows: object[] }>()
    const of = { object: { kind: 'Stagelet', name: 'shop' }, detail: { tail: 500 } }
    expect(noted.at(-1)).toMatchObject(of)
    for (const tail of [0, 100_001]) expect((await ask(tail)).status).toBe(422)
  })
})
