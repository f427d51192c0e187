// Requests to controllers, each on a connection of its own or on kept ones, with a deadline.
import { Agent, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { createSecureContext } from 'node:tls'

interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export interface Client {
  /** Rejects where no answer comes: nobody knows then whether it was done. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply>
  /** call() that must succeed; the body as JSON. */
  must<T>(method: string, path: string, body?: unknown): Promise<T>
  open(path: string, signal: AbortSignal): Promise<IncomingMessage>
  close(): void
}

const answerMs = 20_000

const typeOf = (method: string): string =>
  method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'

export const createClient = (at: {
  readonly url: string
  readonly ca: string
  readonly token: string
}): Client => {
  const secureContext = createSecureContext({ ca: at.ca })
  const kept = new Agent({ keepAlive: true, maxSockets: 16, secureContext })
  const own = new Agent({ secureContext })
  const send = (
    method: string,
    path: string,
    {
      body,
      ...options
    }: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, at.url),
        {
          method,
          // Replicas are asked by addresses that are not in their certificates.
          checkServerIdentity: () => undefined,
          agent: options.signal === undefined ? kept : own,
          timeout: answerMs,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          headers: {
            authorization: `Bearer ${at.token}`,
            ...(body === undefined ? {} : { 'content-type': typeOf(method) }),
            ...options.headers,
          },
        },
        resolve,
      )
      if (options.signal === undefined)
        sent.on('timeout', () => sent.destroy(new Error(`no answer within ${answerMs} ms`)))
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  const call: Client['call'] = async (method, path, body, headers = {}) => {
    const response = await send(method, path, { body, headers })
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    return { status: response.statusCode ?? 0, headers: response.headers, text }
  }
  return {
    call,
    must: async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const { status, text } = await call(method, path, body)
      if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text}`)
      return JSON.parse(text) as T
    },
    open: async (path, signal) => {
      const response = await send('GET', path, { signal })
      if (response.statusCode === 200) return response
      response.destroy()
      throw new Error(`GET ${path}: ${response.statusCode ?? 0}`)
    },
    close: () => {
      kept.destroy()
    },
  }
}

export const namespaced = '/apis/stagely.dev/v1alpha1/namespaces/default'
