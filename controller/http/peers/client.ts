// Requests to other controllers. Each is authenticated by exactly the certificate that it has put into
// the database. Host names and CAs do not matter: addresses of replicas come and go.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Clock } from '../../../src/kernel/clock.ts'
import { messageOf, StagelyError } from '../../../src/kernel/errors.ts'
import type { Peer } from '../../../src/store/replicas.ts'
import { signPeerRequest } from './token.ts'

export const peerTokenHeader = 'x-stagely-peer'

export interface PeerClient {
  /** The answer as JSON, and its HTTP status. ServiceUnavailable when there is no answer. */
  post(peer: Peer, path: string, body: unknown): Promise<{ status: number; json: unknown }>
  /** Whether the peer is ready to serve. */
  isReady(peer: Peer): Promise<boolean>
  close(): void
}

/** Longer than a replica waits for a slow reader of logs. */
const answerMs = 20_000
const readyMs = 1_500
const maxAnswerBytes = 1_048_576

const readAll = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxAnswerBytes) throw new Error('its answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export const createPeerClient = (key: Buffer, clock: Clock): PeerClient => {
  const plain = new HttpAgent({ keepAlive: true })
  const secure = new HttpsAgent({ keepAlive: true })

  const send = (
    { url, certificate }: Peer,
    path: string,
    { body, ...options }: RequestOptions & { body?: string; timeout: number },
  ): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const isPlain = certificate === undefined
      const pinned = {
        ca: certificate,
        allowPartialTrustChain: true,
        checkServerIdentity: () => undefined,
        minVersion: 'TLSv1.3' as const,
        agent: secure,
      }
      const sent = (isPlain ? httpRequest : httpsRequest)(
        new URL(path, url),
        { ...(isPlain ? { agent: plain } : pinned), ...options },
        (response) => {
          readAll(response).then((text) => {
            resolve({ status: response.statusCode ?? 0, text })
          }, reject)
        },
      )
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.on('error', reject)
      sent.end(body)
    })

  return {
    post: async (peer, path, what) => {
      const body = JSON.stringify(what)
      const token = signPeerRequest(key, { to: peer.id, path, body }, clock.now())
      const headers = { 'content-type': 'application/json', [peerTokenHeader]: token }
      try {
        const options = { method: 'POST', headers, body, timeout: answerMs }
        const { status, text } = await send(peer, path, options)
        return { status, json: JSON.parse(text) as unknown }
      } catch (error) {
        const message = `the controller at ${peer.url} does not answer this one: ${messageOf(error)}`
        throw new StagelyError('ServiceUnavailable', message, { retryAfterSeconds: 2 }, error)
      }
    },
    isReady: async (peer) => {
      const answer = await send(peer, '/readyz?exclude=key-provider', { timeout: readyMs }).catch(
        () => undefined,
      )
      return answer?.status === 200
    },
    close: () => {
      plain.destroy()
      secure.destroy()
    },
  }
}
