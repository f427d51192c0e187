// What the audit log says of agents: from where they joined and were refused, also behind a proxy.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import type { AuditRecord } from '../../../src/audit/record.ts'
import { joinBody } from '../../support/agents/join-body.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

const machine = '203.0.113.7'
let controller: TestController

beforeAll(async () => {
  controller = await startTestController({ argv: ['--trust-proxy', '127.0.0.1'] })
})
afterAll(() => controller.remove())

it('names the address that a trusted proxy tells, of who joins and of who is refused', async () => {
  const path = '/apis/stagely.dev/v1alpha1/namespaces/default/agents/box/token'
  const made = await controller.call('POST', path, {
    body: { apiVersion: 'stagely.dev/v1alpha1', kind: 'AgentToken', spec: {} },
  })
  const { status } = made.json<{ status: { token: string } }>()
  const token = parseJoinToken(status.token)
  const join = (name: string): Promise<Answer> =>
    controller.call('POST', agentPaths.join, {
      headers: { authorization: '', 'x-forwarded-for': machine },
      body: joinBody(token, { name }),
    })
  expect((await join('other')).status).toBe(401)
  const joined = await join('box')
  expect(joined.status, joined.text).toBe(200)
  const list = await controller.call('GET', '/api/v1/audit?by=agent%3Adefault%2Fbox')
  const { rows } = list.json<{ rows: AuditRecord[] }>()
  expect(rows.map(({ action }) => action)).toEqual(['join', 'deny'])
  for (const { actor, request_id: request } of rows) {
    expect(actor).toMatchObject({ name: 'agent:default/box', source: 'system', address: machine })
    expect(request).toMatch(/./)
  }
})

it('a token of an ephemeral machine makes an agent that is so, and is refused for another one', async () => {
  const agents = '/apis/stagely.dev/v1alpha1/namespaces/default/agents'
  const ask = (name: string, spec: object): Promise<Answer> =>
    controller.call('POST', `${agents}/${name}/token`, { body: { spec } })
  const whole = async (name: string): Promise<unknown> =>
    (await controller.call('GET', `${agents}/${name}`)).json<{ spec?: unknown }>().spec
  expect((await ask('ci-7', { ephemeral: { goneAfter: '5m' } })).status).toBe(201)
  expect(await whole('ci-7')).toEqual({ ephemeral: { goneAfter: '5m' } })
  expect((await ask('ci-7', { ephemeral: { goneAfter: '5m' } })).status).toBe(201)
  expect((await ask('ci-8', { ephemeral: {} })).status).toBe(201)
  expect(await whole('ci-8')).toEqual({ ephemeral: { goneAfter: '10m' } })
  const short = await ask('ci-9', { ephemeral: { goneAfter: '30s' } })
  expect([short.status, short.text]).toEqual([422, expect.stringContaining('spec.ephemeral')])
  const other = await ask('ci-7', { ephemeral: { goneAfter: '6m' } })
  expect([other.status, other.text]).toEqual([409, expect.stringContaining('set that first')])
  const lasting = await controller.call('POST', '/api/v1/agents/default%2Fbox/join-token', {
    body: { ephemeral: {} },
  })
  expect([lasting.status, lasting.text]).toEqual([409, expect.stringContaining('set that first')])
})
