import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import type { OnDemandOrder } from '../../../src/protocol/messages.ts'
import type { TaskOrder, TaskReport } from '../../../src/protocol/tasks.ts'
import { sendSlowBodies } from '../../../test/support/http/slow-bodies.ts'
import { withBodies } from '../../../test/support/http/with-bodies.ts'
import type { AgentEnv } from '../agents/requests/refusal.ts'
import { createBodyBudget } from '../body-budget.ts'
import type { OrderResult } from '../../orders/order-result.ts'
import { createPeerClient, type PeerClient } from './client.ts'
import { createPeerLogs, mountPeerRoutes } from './logs.ts'

const key = randomBytes(32)
const order: TaskOrder = {
  type: 'task',
  id: 'self.1',
  rotation: 'r',
  attempt: '1',
  step: 'set',
  stageletUid: 'u',
  service: 'db',
  plugin: 'postgres',
  params: { login: { password: 'a-candidate' } },
}
const asked: OnDemandOrder[] = []
const taken: TaskReport[] = []
const bodies: string[] = []
const budget = createBodyBudget()
let url: string
let stands: OrderResult = 'asked'
let server: Server
let client: PeerClient
let elsewhere: ReturnType<typeof createPeerLogs>

beforeAll(async () => {
  const app = withBodies(new Hono<AgentEnv>(), budget)
  mountPeerRoutes(app, {
    key,
    self: 'peer',
    clock: realClock,
    log: silentLogger,
    logs: { acceptHere: () => Promise.resolve('ended') },
    tasks: {
      acceptHere: (_, report) => {
        taken.push(report)
        return 'taken'
      },
    },
    ask: (_, given) => {
      asked.push(given)
      return stands
    },
    takeHeartbeat: () => false,
  })
  const listener = getRequestListener(app.fetch)
  server = createServer((req, res) => {
    req.on('data', (chunk: Buffer) => bodies.push(chunk.toString()))
    void listener(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const peer = { id: 'peer', url, certificate: undefined }
  client = createPeerClient(key, realClock)
  const replicas = {
    id: 'self',
    find: (id: string) => Promise.resolve(id === 'peer' ? peer : undefined),
    holding: (_: string, name: string) => Promise.resolve(name === 'box' ? peer : undefined),
  }
  elsewhere = createPeerLogs(replicas, client, key)
})
afterAll(() => {
  client.close()
  server.closeAllConnections()
  server.close()
})

it('a task goes sealed to the replica that has the agent: its link may be plain HTTP', async () => {
  expect(await elsewhere.ask('default/box', order)).toBe('asked')
  expect(asked).toEqual([order])
  expect(bodies.join('')).not.toContain('a-candidate')
  stands = 'tooOld'
  expect(await elsewhere.ask('default/box', order)).toBe('tooOld')
  expect(await elsewhere.ask('default/nobody', order)).toBe('away')
})

it('its answer goes to the replica that waits for it', async () => {
  const report: TaskReport = { id: 'peer.1', facts: { accepted: 'accepted' } }
  expect(await elsewhere.takeTask('peer', 'default/box', report)).toBe('taken')
  expect(taken).toEqual([report])
  expect(await elsewhere.takeTask('gone', 'default/box', report)).toBe('ended')
})

it('equal requests of one moment are each answered', async () => {
  const report: TaskReport = { id: 'peer.2', facts: { accepted: 'accepted' } }
  const same = Array.from({ length: 5 }, () => elsewhere.takeTask('peer', 'default/box', report))
  expect(await Promise.all(same)).toEqual(Array(5).fill('taken'))
})

it('200 slow bodies without a credential are refused unread, and reserve nothing', async () => {
  const slow = await sendSlowBodies(200, { url, path: '/peer/v1/logs/take' })
  await expect.poll(() => slow.statuses()).toEqual(Array(200).fill(401))
  expect(budget.held).toBe(0)
  slow.close()
})
