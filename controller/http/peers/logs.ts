// Logs between controllers: an order goes to the replica that has the agent, and the agent's batches go
// to the replica that has the reader. So do tasks and their facts. Nothing is stored on the way. Also the
// routes that replicas serve each other.
import { hkdfSync } from 'node:crypto'
import type { Hono } from 'hono'
import * as z from 'zod'
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { logBatchResponse } from '../../../src/protocol/logs.ts'
import { lookOrder } from '../../../src/protocol/look.ts'
import { countOrder } from '../../../src/protocol/printed.ts'
import { taskOrder, taskResponse } from '../../../src/protocol/tasks.ts'
import type { OnDemandOrder } from '../../../src/protocol/messages.ts'
import { open as openSealed, seal } from '../../../src/secrets/aead.ts'
import type { Heartbeat } from '../../../src/protocol/heartbeat.ts'
import type { Replicas } from '../../../src/store/replicas.ts'
import type { LogRelay, LogPeers } from '../../orders/log-relay.ts'
import { AgentRefusedError } from '../../orders/agent-refused.ts'
import {
  decodeBody,
  renderRefusal,
  type AgentContext,
  type AgentEnv,
} from '../agents/requests/refusal.ts'
import type { OrderResult } from '../../orders/order-result.ts'
import type { AgentTasks, AnsweredOrder, TaskPeers } from '../../orders/tasks.ts'
import { readBody } from '../read-body.ts'
import { peerTokenHeader, type PeerClient } from './client.ts'
import { askRequest, takeRequest, takeTaskRequest, taskRequest } from './requests.ts'
import { heartbeatsPath, heartbeatsRequest } from './heartbeats.ts'
import { createPeerCheck } from './token.ts'

const paths = {
  ask: '/peer/v1/logs/ask',
  take: '/peer/v1/logs/take',
  task: '/peer/v1/tasks/ask',
  takeTask: '/peer/v1/tasks/take',
} as const
const askResponse = z.object({ asked: z.boolean(), tooOld: z.boolean().optional() })
const maxBytes = 4_300_000

/** The client's part. */
export const createPeerLogs = (
  replicas: Pick<Replicas, 'id' | 'find' | 'holding'>,
  client: Pick<PeerClient, 'post'>,
  key: Buffer,
): LogPeers & TaskPeers => ({
  self: replicas.id,
  ask: async (agentKey, order) => {
    const [namespace = '', name = ''] = agentKey.split('/')
    const peer = await replicas.holding(namespace, name)
    if (peer === undefined) return 'away'
    const { status, json } =
      order.type === 'logs'
        ? await client.post(peer, paths.ask, { agentKey, order })
        : await client.post(peer, paths.task, { agentKey, sealed: sealTask(key, peer.id, order) })
    // A controller that is older than the order refuses it as malformed, or knows no such path.
    if (status === 400 || status === 404) return 'tooOld'
    const { asked, tooOld = false } = status === 200 ? askResponse.parse(json) : { asked: false }
    return asked ? 'asked' : tooOld ? 'tooOld' : 'away'
  },
  take: async (replica, agentKey, batch) => {
    const peer = await replicas.find(replica)
    if (peer === undefined) return undefined
    const { status, json } = await client.post(peer, paths.take, { agentKey, batch })
    return status === 200 ? logBatchResponse.parse(json).state : undefined
  },
  takeTask: async (replica, agentKey, report) => {
    const peer = await replicas.find(replica)
    if (peer === undefined) return 'ended'
    const { status, json } = await client.post(peer, paths.takeTask, { agentKey, report })
    return status === 200 ? taskResponse.parse(json).state : 'ended'
  },
})

const taskAad = (to: string): string => JSON.stringify(['stagely peer task v1', to])
const sealKey = (key: Buffer): Parameters<typeof seal>[0] => ({
  id: 'peer',
  bytes: Buffer.from(hkdfSync('sha256', key, '', 'stagely peer task v1', 32)),
})
const answeredOrder = z.discriminatedUnion('type', [taskOrder, lookOrder, countOrder])
const sealTask = (key: Buffer, to: string, order: AnsweredOrder): string =>
  seal(sealKey(key), Buffer.from(JSON.stringify(order)), taskAad(to))
const openTask = (key: Buffer, self: string, sealed: string): AnsweredOrder =>
  answeredOrder.parse(JSON.parse(openSealed(sealKey(key), sealed, taskAad(self)).toString('utf8')))

const stranger = (): AgentRefusedError =>
  new AgentRefusedError(401, 'Unauthorized', 'only controllers of this database may ask this')

/** The server's part. */
export const mountPeerRoutes = (
  app: Hono<AgentEnv>,
  deps: {
    readonly key: Buffer
    readonly self: string
    readonly logs: Pick<LogRelay, 'acceptHere'>
    readonly tasks: Pick<AgentTasks, 'acceptHere'>
    /** `away` where the agent has no stream here. */
    readonly ask: (agentKey: string, order: OnDemandOrder) => OrderResult
    /** Takes a heartbeat of an agent. */
    readonly takeHeartbeat: (heartbeat: Heartbeat) => boolean
    readonly clock: Clock
    readonly log: Logger
  },
): void => {
  const { key, self, logs, tasks, clock, log } = deps
  const check = createPeerCheck(key, self, clock)
  const read = async <T>(c: AgentContext, schema: z.ZodType<T>): Promise<T> => {
    const isBody = check(c.req.path, c.req.header(peerTokenHeader) ?? '')
    if (isBody === undefined) throw stranger()
    // Each path by itself: the logs of an agent at another replica hold up no heartbeat.
    const owner = `other controllers ${c.req.path}`
    const body = await readBody(c, { owner, most: maxBytes })
    if (!isBody(body)) throw stranger()
    return decodeBody(body.toString('utf8'), schema)
  }
  const serve = (handle: (c: AgentContext) => Promise<Response>) => (c: AgentContext) =>
    handle(c).catch((error: unknown) => renderRefusal(c, error, log))

  app.post(
    paths.ask,
    serve(async (c) => {
      const { agentKey, order } = await read(c, askRequest)
      const answer = deps.ask(agentKey, order)
      return c.json({ asked: answer === 'asked', tooOld: answer === 'tooOld' })
    }),
  )
  app.post(
    paths.take,
    serve(async (c) => {
      const { agentKey, batch } = await read(c, takeRequest)
      return c.json({ state: await logs.acceptHere(agentKey, batch) })
    }),
  )
  app.post(
    paths.task,
    serve(async (c) => {
      const { agentKey, sealed } = await read(c, taskRequest)
      const answer = deps.ask(agentKey, openTask(key, self, sealed))
      return c.json({ asked: answer === 'asked', tooOld: answer === 'tooOld' })
    }),
  )
  app.post(
    paths.takeTask,
    serve(async (c) => {
      const { agentKey, report } = await read(c, takeTaskRequest)
      return c.json({ state: tasks.acceptHere(agentKey, report) })
    }),
  )
  app.post(
    heartbeatsPath,
    serve(async (c) => {
      const { signs } = await read(c, heartbeatsRequest)
      const connections = signs
        .filter((heartbeat) => deps.takeHeartbeat(heartbeat))
        .map(({ connection }) => connection)
      return c.json({ known: [...new Set(connections)] })
    }),
  )
}
