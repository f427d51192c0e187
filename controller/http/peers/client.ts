// Requests to other controllers. Each is authenticated by exactly the certificate that it has put into
// the database. Host names and CAs do not matter: addresses of replicas come and go.
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type RequestOptions } from 'node:https'
import type { Clock } from '../../../src/kernel/clock.ts'
import { messageOf, StagelyError } from '../../../src/kernel/errors.ts'
import { readBodyText, httpRequest } from '../../../src/kernel/request.ts'
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

export const createPeerClient = (key: Buffer, clock: Clock): PeerClient => {
  const plain = new HttpAgent({ keepAlive: true })
  let signedAt = 0
  const secure = new HttpsAgent({ keepAlive: true })

  const send = async (
    { url, certificate }: Peer,
    path: string,
    { body, ...options }: RequestOptions & { body?: string; timeout: number },
  ): Promise<{ status: number; text: string }> => {
    const pinned = {
      ca: certificate,
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
      minVersion: 'TLSv1.3' as const,
      agent: secure,
    }
    const own = certificate === undefined ? { agent: plain } : pinned
    const response = await httpRequest(new URL(path, url), { ...own, ...options }, (outgoing) => {
      outgoing.end(body)
    })
    return { status: response.statusCode ?? 0, text: await readBodyText(response, maxAnswerBytes) }
  }

  return {
    post: async (peer, path, what) => {
      const body = JSON.stringify(what)
      signedAt = Math.max(signedAt + 1, clock.now())
      const token = signPeerRequest(key, { to: peer.id, path, body }, signedAt)
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
