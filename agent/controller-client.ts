// HTTP to the controller on node:https alone: fetch and its like would cost the agent 26 MB.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import { StagelyError, messageOf } from '../src/kernel/errors.ts'
import { refusal } from '../src/protocol/messages.ts'

export interface Endpoint {
  readonly url: string
  /** The controller's CA as PEM; undefined trusts the machine's store. */
  readonly ca: string | undefined
}

interface PostOptions {
  readonly path: string
  readonly body: unknown
  readonly token?: string
  readonly signal?: AbortSignal
}

/** The controller answered, and said no. */
export class RefusedError extends Error {
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
  /** Posts on a connection that is kept for the next one. RefusedError, or ServiceUnavailable when there is no answer within 30 s. */
  post(options: PostOptions): Promise<unknown>
  /** Posts on a connection of its own and returns the open answer. */
  open(options: PostOptions & { signal: AbortSignal }): Promise<IncomingMessage>
  close(): void
}

const answerTimeoutMs = 30_000
const maxAnswerBytes = 1_048_576

/** `connections` at a time for posts; what is more waits. */
export const createControllerClient = (
  { url, ca }: Endpoint,
  connections = 2,
): ControllerClient => {
  const secure = url.startsWith('https:')
  const keepAlive = { keepAlive: true, maxSockets: connections, keepAliveMsecs: 15_000 }
  const agent = secure ? new HttpsAgent(keepAlive) : new HttpAgent(keepAlive)
  // A pinned CA is our own controller's, which speaks TLS 1.3.
  const tls = ca === undefined ? {} : { ca, minVersion: 'TLSv1.3' as const }

  const send = (
    { path, body, token, signal }: PostOptions,
    options: RequestOptions,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body)
      const headers: Record<string, string | number> = {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
      }
      if (token !== undefined) headers['Authorization'] = `Bearer ${token}`
      const outgoing = (secure ? httpsRequest : httpRequest)(
        new URL(path, url),
        {
          method: 'POST',
          headers,
          ...tls,
          ...(signal === undefined ? {} : { signal }),
          ...options,
        },
        resolve,
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
      outgoing.on('error', (error) => {
        reject(unreachable(url, error))
      })
      outgoing.end(text)
    })

  return {
    post: async (options) => {
      const response = await send(options, { agent, timeout: answerTimeoutMs })
      const text = await readText(response)
      if (response.statusCode !== 200) throw toRefused(response, text)
      return JSON.parse(text) as unknown
    },
    open: async (options) => {
      const response = await send(options, { agent: false })
      if (response.statusCode === 200) return response
      throw toRefused(response, await readText(response))
    },
    close: () => {
      agent.destroy()
    },
  }
}

const unreachable = (url: string, error: Error): StagelyError => {
  const message = `cannot reach the controller at ${url}: ${messageOf(error)}`
  return new StagelyError('ServiceUnavailable', message, {}, error)
}

const readText = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxAnswerBytes) throw new StagelyError('InternalError', 'the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const toRefused = (response: IncomingMessage, text: string): RefusedError => {
  const status = response.statusCode ?? 0
  const seconds = Number(response.headers['retry-after'] ?? NaN)
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined
  let said = { reason: `Http${status}`, message: `the controller answered with status ${status}` }
  try {
    said = refusal.parse(JSON.parse(text))
  } catch {
    // A proxy answered in its own words; the status must do.
  }
  return new RefusedError(status, said, retryAfterMs)
}
