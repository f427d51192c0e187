// HTTP to the controller.
import type { KeyObject } from 'node:crypto'
import { Agent as HttpAgent, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, type RequestOptions } from 'node:https'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError, messageOf } from '../../src/kernel/errors.ts'
import { createSlots } from '../../src/kernel/async/serial-queue.ts'
import { readAllBytes, httpRequest } from '../../src/kernel/request.ts'
import { counterHeader, sealedType, sessionHeader } from '../../src/protocol/agent-request.ts'
import { maxUnsealedDelayMs, agentPaths, refusal } from '../../src/protocol/messages.ts'
import type { RequestSigner, Signed } from './request-signer.ts'

interface ControllerEndpoint {
  readonly url: string
  /** The controller's CA as PEM; undefined trusts the machine's store. */
  readonly ca: string | undefined
}

interface PostOptions {
  readonly path: string
  readonly body: unknown
  /** The key that signs the request, outside of a session. Absent: the agent's present key. */
  readonly signedBy?: KeyObject
  readonly signal?: AbortSignal
}

/** The open answer, and the proof of the request that it answers. */
interface OpenAnswer {
  readonly response: IncomingMessage
  readonly proof: string
}

/** The controller answered with a refusal. */
export class RefusedByController extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  readonly reason: string
  readonly retryAfterMs: number | undefined

  constructor(status: number, said: { reason: string; message: string }, retryAfterMs?: number) {
    super(said.message)
    this.status = status
    this.reason = said.reason
    this.retryAfterMs = retryAfterMs
  }
}

export interface ControllerClient {
  /** Posts on a kept connection. RefusedError, or ServiceUnavailable when there is no answer within 30 s. */
  post(options: PostOptions): Promise<unknown>
  /** Posts on a connection of its own and returns the open answer. */
  open(options: PostOptions & { signal: AbortSignal }): Promise<OpenAnswer>
  /** Sends a heartbeat with this header, on a kept connection that no post waits on. RefusedError, or ServiceUnavailable when there is no answer within 4 s. */
  heartbeat(authorization: string, signal: AbortSignal): Promise<void>
  close(): void
}

const answerTimeoutMs = 30_000
const heartbeatTimeoutMs = 4_000
const maxAnswerBytes = 1_048_576
/** Tries of one request: a replica may not know the session, and a counter may be used already. */
const maxTries = 4

/** `connections`: posts at a time; further ones wait. */
export const createControllerClient = (
  endpoint: ControllerEndpoint,
  signer: RequestSigner,
  connections = 2,
): ControllerClient => {
  // A heartbeat must not wait for the answers of reports: one connection more than posts may take. At rest one is left.
  // Heartbeats keep it open for the next post: a new one costs the controller more than the post itself.
  const { agent, send } = createSender(endpoint, connections + 1)
  const inPlace = createSlots(connections)

  const sendOnce = async (options: PostOptions, request: RequestOptions): Promise<Sent> => {
    const { path, body, signedBy, signal } = options
    const line = { method: 'POST', path, body, ...defined({ signedBy }) }
    let signed: Signed | undefined
    const response = await send({ ...request, path, signal }, (socket) => {
      signed = signer.sign(line, socket)
      return { body: signed.body, type: sealedType, authorization: signed.authorization }
    })
    return { response, signed: signed! }
  }
  const exchange = async (options: PostOptions, request: RequestOptions): Promise<Sent> => {
    for (let attempt = 1; ; attempt++) {
      const sent = await signer.inOrder(options, async () => {
        const { response, signed } = await sendOnce(options, request)
        if (response.statusCode !== 200) return { response, signed }
        signed.taken(response.headers[sessionHeader.toLowerCase()] as string | undefined)
        return { response, signed }
      })
      const { response, signed } = sent
      if (response.statusCode === 200) return sent
      const refused = toRefused(response, await readAnswer(response))
      if (!repeatedReasons.has(refused.reason) || attempt >= maxTries) throw refused
      const counter = Number(response.headers[counterHeader.toLowerCase()] ?? NaN)
      signed.refused(Number.isSafeInteger(counter) ? counter : undefined)
    }
  }

  return {
    post: (options) =>
      inPlace(async () => {
        const { response, signed } = await exchange(options, { agent, timeout: answerTimeoutMs })
        return signed.open(await readAnswer(response))
      }),
    open: async (options) => {
      const { response, signed } = await exchange(options, { agent: false })
      return { response, proof: signed.proof }
    },
    heartbeat: async (authorization, signal) => {
      const options = { path: agentPaths.sign, agent, timeout: heartbeatTimeoutMs, signal }
      const response = await send(options, () => ({ body: Buffer.alloc(0), authorization }))
      const answer = await readAnswer(response)
      if (response.statusCode !== 204) throw toRefused(response, answer)
    },
    close: () => agent.destroy(),
  }
}

/** Posts a request that needs no signature, as one to join. Returns the raw answer. RefusedError, ServiceUnavailable. */
export const postUnsigned = async (
  endpoint: ControllerEndpoint,
  path: string,
  body: unknown,
): Promise<Buffer> => {
  const { agent, send } = createSender(endpoint, 1)
  try {
    const response = await send({ path, agent, timeout: answerTimeoutMs }, () => ({
      body: Buffer.from(JSON.stringify(body)),
      type: 'application/json',
    }))
    const answer = await readAnswer(response)
    if (response.statusCode !== 200) throw toRefused(response, answer)
    return answer
  } finally {
    agent.destroy()
  }
}

/** True where the same request, signed anew, may be accepted. */
const repeatedReasons: ReadonlySet<string> = new Set(['UnknownSession', 'Repeated'])

interface Sent {
  readonly response: IncomingMessage
  readonly signed: Signed
}

interface Outgoing {
  readonly body: Buffer
  readonly type?: string
  readonly authorization?: string
}

interface Sender {
  readonly agent: HttpAgent
  /** Makes the request when it is known which connection takes it. */
  readonly send: (
    options: Omit<RequestOptions, 'path' | 'signal'> & {
      path: string
      signal?: AbortSignal | undefined
    },
    make: (socket: object) => Outgoing,
  ) => Promise<IncomingMessage>
}

const createSender = ({ url, ca }: ControllerEndpoint, connections: number): Sender => {
  const secure = url.startsWith('https:')
  const keepAlive = { keepAlive: true, maxSockets: connections, keepAliveMsecs: 15_000 }
  const agent = secure ? new HttpsAgent(keepAlive) : new HttpAgent(keepAlive)
  // A pinned CA belongs to a Stagely controller, which speaks TLS 1.3.
  const tls = ca === undefined ? {} : { ca, minVersion: 'TLSv1.3' as const }
  return {
    agent,
    send: async ({ path, ...options }, make) => {
      const all = { method: 'POST', ...tls, ...options }
      const sent = httpRequest(new URL(path, url), all, (outgoing) => {
        outgoing.once('socket', (socket) => {
          try {
            const { body, type, authorization } = make(socket)
            if (type !== undefined) outgoing.setHeader('Content-Type', type)
            outgoing.setHeader('Content-Length', body.length)
            if (authorization !== undefined) outgoing.setHeader('Authorization', authorization)
            outgoing.end(body)
          } catch (error) {
            outgoing.destroy(error as Error)
          }
        })
      })
      return await sent.catch((error: unknown) => {
        throw unreachable(url, error)
      })
    },
  }
}

const unreachable = (url: string, error: unknown): StagelyError => {
  const message = `cannot reach the controller at ${url}: ${messageOf(error)}`
  return new StagelyError('ServiceUnavailable', message, {}, error)
}

const tooLong = (): Error => new StagelyError('InternalError', 'the answer is too long')

const readAnswer = (response: IncomingMessage): Promise<Buffer> =>
  readAllBytes(response, maxAnswerBytes, tooLong)

const toRefused = (response: IncomingMessage, answer: Buffer): RefusedByController => {
  const status = response.statusCode ?? 0
  const seconds = Number(response.headers['retry-after'] ?? NaN)
  const retryAfterMs =
    Number.isFinite(seconds) && seconds >= 0
      ? Math.min(seconds * 1000, maxUnsealedDelayMs)
      : undefined
  let said = { reason: `Http${status}`, message: `the controller answered with status ${status}` }
  try {
    said = refusal.parse(JSON.parse(answer.toString('utf8')))
  } catch {
    // A proxy answered: only the status is of use.
  }
  if (status === 401 && said.reason === tokenReason)
    said = { reason: 'Protocol', message: oldController }
  return new RefusedByController(status, said, retryAfterMs)
}

/** The refusal of a controller before protocol 2.0, which knows tokens only. */
const tokenReason = 'Malformed'
const oldController =
  'the controller is older than this agent and does not know how it signs: update the controller'
