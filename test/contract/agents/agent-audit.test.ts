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
