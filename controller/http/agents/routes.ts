// The agents' endpoints: join, new keys, stream, report. Refusals carry a reason and the remedy; the stream is
// written straight to the Node response, which keeps a connection small.
import type * as z from 'zod'
import { verify } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Hono } from 'hono'
import { background } from '../../../src/kernel/async/background.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { sealedType } from '../../../src/protocol/agent-request.ts'
import { joinContent, joinRequest, openJoin } from '../../../src/protocol/join.ts'
import { logBatch } from '../../../src/protocol/logs.ts'
import { taskEnvelope } from '../../../src/protocol/tasks.ts'
import { checkPublicKeys, publicKeyFromRaw } from '../../../src/protocol/keys.ts'
import {
  keysProof,
  keysRequest,
  agentPaths,
  protocolVersion,
  reportEnvelope,
  streamRequest,
} from '../../../src/protocol/messages.ts'
import { protocolFault } from '../../../src/protocol/version.ts'
import {
  checkClock,
  createAuthenticator,
  type AgentAuthenticator,
} from './requests/authenticate.ts'
import { agentKeyOf } from '../../../src/protocol/agent-key.ts'
import { defaultTuning, type AgentRoutesDeps } from './deps.ts'
import { decodeReports } from './decode-reports.ts'
import { createDuplicates } from './streams/duplicates.ts'
import { createAgentCost, createAdmission, createConnectLimit } from './requests/admission.ts'
import { createAskedLogs, isTaken, type WasAsked } from '../../orders/asked.ts'
import { createLogRelay, type LogRelay } from '../../orders/log-relay.ts'
import { takeLeave } from './requests/leave.ts'
import { noteRefused } from './requests/note-refused.ts'
import { fleetOf, type Fleet } from './objects/fleet.ts'
import { createAgentStreams, type AgentStreams } from './streams/agent-streams.ts'
import { createPresence, type Presence } from './streams/presence.ts'
import { AgentRefusedError } from '../../orders/agent-refused.ts'
import {
  decodeBody,
  requestOrigin,
  renderRefusal,
  type AgentContext,
  type AgentEnv,
} from './requests/refusal.ts'
import { readBody } from '../read-body.ts'
import { clientNetwork } from '../request-identity.ts'
import { createRefusals } from './objects/refused-agents.ts'
import { createReports } from './reports.ts'
import { createHeartbeats } from './streams/heartbeats.ts'
import { createAgentTasks, decodingTasks, type AgentTasks } from '../../orders/tasks.ts'

const maxJoinBytes = 16_384
/** Whose bodies come at the same time from one address: many agents may join from behind one. */
const joinsAtOnce = 128
const maxStreamBytes = 1_048_576
const maxReportBytes = 4_194_304
const maxLogBytes = 4_194_304
const maxTaskBytes = 4_194_304

export interface AgentRoutes {
  /** True while the agent (`namespace/name`) has a stream here. */
  connected(agentKey: string): boolean
  /** Counts of agents and stagelets by their state, from memory. */
  readonly fleet: () => Fleet
  /** Logs of the stacks of agents. */
  readonly logs: LogRelay
  /** Steps that agents do in containers of databases. */
  readonly tasks: AgentTasks
  /** Sends an order to the agent, if it has its stream here. */
  readonly ask: AgentStreams['ask']
  /** The server's listener: takes heartbeats itself, and gives all else to `app`. */
  listener(app: { readonly fetch: Parameters<typeof getRequestListener>[0] }): RequestListener
  /** Takes a heartbeat that came to another replica; false where it is not of a stream here. */
  readonly takeHeartbeat: AgentStreams['takeHeartbeat']
  /** Asks every agent to come back; a load balancer may lead it to another replica. */
  sendAway(): Promise<void>
  /** Asks every agent to come back later, ends the streams and writes what waits. Idempotent. */
  stop(): Promise<void>
}

const createListener = (
  fetch: Parameters<typeof getRequestListener>[0],
  log: AgentRoutesDeps['log'],
): RequestListener => {
  const answer = getRequestListener(fetch, {
    // It would end a connection half a second after an answer that came before the end of the body.
    autoCleanupIncoming: false,
    // Of a request without a host, as health checks of balancers send by HTTP/1.0.
    hostname: 'localhost',
  })
  return (request, response) =>
    background(
      () => answer(request, response),
      (error) => {
        log.error({ err: error }, 'a request got no answer')
        response.destroy()
      },
    )
}

/** Mounts the endpoints on `app` and begins to follow the store. */
export const mountAgentRoutes = (app: Hono<AgentEnv>, deps: AgentRoutesDeps): AgentRoutes => {
  const { clock, log } = deps
  const tuning = { ...defaultTuning, ...deps.tuning }
  const presence: Presence = createPresence(deps, tuning, {
    isConnected: (key) => streams.isConnected(key),
    replaced: (key, connection) => streams.replaced(key, connection),
  })
  const duplicates = createDuplicates(deps)
  const streams = createAgentStreams(deps, tuning, { presence, duplicates })
  const heartbeats = createHeartbeats({
    self: deps.connections.replica,
    acceptHere: streams.takeHeartbeat,
    peers: deps.heartbeatPeers,
  })
  const reports = createReports({ ...deps, duplicates }, streams.objects)
  const logs = createLogRelay({
    clock,
    ask: streams.ask,
    ...defined({ peers: deps.logPeers }),
  })
  const tasks = createAgentTasks({ ...deps, ask: streams.ask, peers: deps.taskPeers })
  const [cost, bodies] = [createAgentCost(clock), createBodies()]
  const authenticate = createAuthenticator({ ...deps, cost })
  const letIn = createAdmission(tuning.connectsPerSecond, clock, cost)
  let stopping: Promise<void> | undefined
  let reporting = 0

  const guard = createGuard(deps, {
    isStopping: () => stopping !== undefined,
    noteAgent: createRefusals(deps, streams),
  })

  app.post(agentPaths.join, guard(takeJoin(deps, createConnectLimit(tuning.joinsPerSecond, clock))))

  app.post(
    agentPaths.stream,
    guard((c) => openStream(c, { deps, authenticate, letIn, streams, presence })),
  )

  app.post(
    agentPaths.report,
    guard(async (c) => {
      const caller = await authenticate(c)
      const envelope = await caller.take(reportEnvelope, maxReportBytes)
      if (reporting >= tuning.concurrentReports)
        throw new AgentRefusedError(503, 'Overload', 'many reports come just now; send it again', 2)
      reporting += 1
      try {
        await streams.objects.ready
        const { agentUid, agent, aheadMs } = caller
        const agentKey = agentKeyOf(agent.namespace, agent.name)
        presence.timed(agentKey, aheadMs)
        const { request, refused } = await decodeReports(envelope, log.child({ agent: agentKey }))
        const foreign = await reports.accept(agentUid, agent, request)
        return caller.answer({ refused: [...refused, ...foreign] })
      } finally {
        reporting -= 1
      }
    }),
  )

  app.post(agentPaths.keys, guard(takeKeys(authenticate, deps)))
  app.post(agentPaths.leave, guard(takeLeave(authenticate, deps)))
  app.post(agentPaths.logs, guard(taking(authenticate, bodies.logs, logs)))
  app.post(agentPaths.tasks, guard(taking(authenticate, bodies.tasks, decodingTasks(tasks))))

  return {
    logs,
    connected: (agentKey) => streams.isConnected(agentKey),
    fleet: () => fleetOf(streams.objects),
    listener: (app) => heartbeats.inFrontOf(createListener(app.fetch, log)),
    takeHeartbeat: streams.takeHeartbeat,
    ask: streams.ask,
    tasks,
    sendAway: () => streams.sendAway(),
    stop: () =>
      (stopping ??= (async () => {
        logs.stop()
        await streams.stop()
        await presence.stop()
      })()),
  }
}

type Handler = (c: AgentContext) => Promise<Response>

/**
 * Only a request with a good join token counts at the gate, and counts once: nobody else can keep others out.
 */
const takeJoin =
  ({ agents, identity, clock, log }: AgentRoutesDeps, passGate: () => void): Handler =>
  async (c) => {
    const stranger = {
      owner: clientNetwork(c.get('address')),
      isStranger: true,
      atOnce: joinsAtOnce,
    }
    const text = (await readBody(c, { ...stranger, most: maxJoinBytes })).toString('utf8')
    // The protocol first: the rest of the request may differ in another version.
    checkProtocol(decodeBody(text, joinRequest.pick({ protocol: true })).protocol)
    const request = decodeBody(text, joinRequest)
    const { content, answer } = openJoin(identity.x25519, request)
    const join = { ...decodeBody(content, joinContent), tokenId: request.tokenId }
    checkClock(join.counter, clock.now())
    await agents.proveJoin(join)
    passGate()
    checkPublicKeys(join)
    const { agentUid } = await agents.join(join, requestOrigin(c))
    log.info({ agent: `${join.namespace}/${join.name}`, agentUid }, 'agent joined')
    const sealed = answer({
      agentUid,
      controllerId: identity.controllerId,
      controllerX25519: identity.x25519.publicKey.toString('base64url'),
    })
    return c.body(new Uint8Array(sealed), 200, { 'Content-Type': sealedType })
  }

/**
 * Registers new keys of an agent. The old key signs the request, outside of a session. The new key must sign as well,
 * so that nobody can have a key registered that he does not have.
 */
const takeKeys =
  (authenticate: AgentAuthenticator, { agents, identity, log }: AgentRoutesDeps): Handler =>
  async (c) => {
    const caller = await authenticate(c)
    const { agentUid, agent } = caller
    if (!caller.isByKey)
      throw new AgentRefusedError(
        401,
        'UnknownSession',
        'new keys are signed by the old key itself',
      )
    const { proof, request, ...keys } = await caller.take(keysRequest, maxJoinBytes)
    checkPublicKeys(keys)
    const { controllerId } = identity
    const signed = keysProof({ controllerId, agentUid, held: agent.ed25519, ...keys })
    const key = publicKeyFromRaw('Ed25519', Buffer.from(keys.ed25519, 'base64url'))
    if (!verify(null, signed, key, Buffer.from(proof, 'base64url')))
      throw new AgentRefusedError(400, 'BadRequest', 'the new key did not sign for itself')
    await agents.rotateKeys({ agentUid, held: agent.ed25519, ...keys, request }, requestOrigin(c))
    log.info({ agent: `${agent.namespace}/${agent.name}` }, 'agent has new keys')
    return caller.answer({})
  }

interface StreamDeps {
  readonly deps: AgentRoutesDeps
  readonly authenticate: AgentAuthenticator
  readonly letIn: ReturnType<typeof createAdmission>
  readonly streams: AgentStreams
  readonly presence: Presence
}

const openStream = async (c: AgentContext, to: StreamDeps): Promise<Response> => {
  const { deps, streams, presence } = to
  const caller = await to.authenticate(c)
  // After the check of the proof: without one nobody can keep others out.
  to.letIn(caller)
  const { agentUid, agent, proof, aheadMs } = caller
  const request = await caller.take(streamRequest, maxStreamBytes, 'lasts')
  caller.check(() => {
    checkProtocol(request.protocol)
    checkClock(request.now, deps.clock.now())
  })
  await streams.objects.ready
  const { outgoing: res } = c.env
  // An agent that gave up meanwhile may have a stream elsewhere, which must stay the newest.
  if (res.destroyed) return RESPONSE_ALREADY_SENT
  const connection = await deps.connections.open(agentUid, request.boot)
  // Another replica may have told the agent of a change that the cache here does not show yet.
  await streams.objects.caughtUp()
  const agentKey = agentKeyOf(agent.namespace, agent.name)
  if (res.destroyed) {
    presence.left(agentKey, { agentUid, connection })
    return RESPONSE_ALREADY_SENT
  }
  streams.attach({ res, agentUid, agent, connection, request, proof, from: requestOrigin(c) })
  presence.connected(agentKey, { agentUid, connection, aheadMs }, request)
  return RESPONSE_ALREADY_SENT
}

const createBodies = () => ({
  logs: { schema: logBatch, maxBytes: maxLogBytes, wasAsked: createAskedLogs() },
  tasks: { schema: taskEnvelope, maxBytes: maxTaskBytes, wasAsked: isTaken },
})

interface AnswerBody<T> {
  readonly schema: z.ZodType<T>
  readonly maxBytes: number
  readonly wasAsked: WasAsked<T>
}

/** Passes a message of an agent to the part that waits for it, and answers with the result. */
const taking =
  <T>(
    authenticate: AgentAuthenticator,
    { schema, maxBytes, wasAsked }: AnswerBody<T>,
    to: { readonly accept: (agentKey: string, body: T) => Promise<string> },
  ): Handler =>
  async (c) => {
    const caller = await authenticate(c)
    const body = await caller.take(schema, maxBytes)
    const agentKey = agentKeyOf(caller.agent.namespace, caller.agent.name)
    const state = await to.accept(agentKey, body)
    if (wasAsked(body, state)) caller.wasAsked()
    return caller.answer({ state })
  }

const createGuard =
  (
    { log, denied }: AgentRoutesDeps,
    to: { isStopping: () => boolean; noteAgent: (error: unknown) => Promise<void> },
  ) =>
  (handle: Handler): Handler =>
  async (c) => {
    try {
      if (to.isStopping()) {
        throw new AgentRefusedError(503, 'Stopping', 'the controller stops; come back later', 2)
      }
      return await handle(c)
    } catch (error) {
      if (denied !== undefined) await noteRefused(c, error, denied)
      await to.noteAgent(error)
      return renderRefusal(c, error, log)
    }
  }

const checkProtocol = (theirs: string): void => {
  const fault = protocolFault(protocolVersion, theirs)
  if (fault !== undefined) throw new AgentRefusedError(426, 'Protocol', fault)
}
