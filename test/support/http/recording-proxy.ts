// A proxy that ends TLS in front of a controller, with a certificate that agents trust: it sees every
// byte of both directions, keeps all of them, and may change or answer what passes.
import { createServer as createTlsServer, request as httpsRequest } from 'node:https'
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { agentPaths } from '../../../src/protocol/messages.ts'
import type { TestController } from '../agents/agent-protocol.ts'

export interface Recorded {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Answered extends Recorded {
  status: number | undefined
  answer: Buffer
}

export interface RecordingProxy {
  readonly url: string
  readonly recorded: Answered[]
  /** Of the next report (heartbeats pass): what goes on in its place, or what the proxy answers itself. */
  tamper: ((request: Recorded, res: ServerResponse) => Recorded | undefined) | undefined
  /** Sends what was recorded, or made of it, to a controller. */
  send(to: string, request: Recorded): Promise<{ status: number; text: string }>
  /** All that it ever saw, as text. */
  everything(): string
  close(): void
}

const toController = (
  to: string,
  { method, path, headers, body }: Recorded,
  onAnswer: (status: number, chunk: Buffer | undefined) => void,
): Promise<void> =>
  new Promise((resolve) => {
    const { host: _host, connection: _connection, ...kept } = headers
    const options = { method, headers: kept, rejectUnauthorized: false, agent: false as const }
    const ask = to.startsWith('https:') ? httpsRequest : httpRequest
    const sent = ask(new URL(path, to), options, (response) => {
      const status = response.statusCode ?? 0
      onAnswer(status, undefined)
      response.on('data', (chunk: Buffer) => {
        onAnswer(status, chunk)
      })
      response.on('close', resolve)
    })
    sent.on('error', () => {
      resolve()
    })
    sent.end(body)
  })

/** Without an identity it speaks plain HTTP. `url` is read for each request: the controller may start later. */
export const startRecordingProxy = async (
  controller: Pick<TestController, 'url'> & Partial<Pick<TestController, 'identity'>>,
): Promise<RecordingProxy> => {
  const { identity } = controller
  const recorded: Answered[] = []
  const take: RequestListener = (req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { method = '', url: path = '', headers } = req
      const request = { method, path, headers, body: Buffer.concat(chunks) }
      const seen: Answered = { ...request, status: undefined, answer: Buffer.alloc(0) }
      recorded.push(seen)
      const tamper = path === agentPaths.report ? proxy.tamper : undefined
      if (tamper !== undefined) proxy.tamper = undefined
      const passed = tamper === undefined ? request : tamper(request, res)
      if (passed === undefined) return
      pass(passed, seen, res)
    })
  }
  const server =
    identity === undefined
      ? createServer(take)
      : createTlsServer({ cert: identity.chainPem, key: identity.leafKeyPem }, take)
  const pass = (request: Recorded, seen: Answered, res: ServerResponse): void => {
    const { method, path, headers, body } = request
    const { host: _host, connection: _connection, ...kept } = headers
    const options = { method, headers: kept, rejectUnauthorized: false, agent: false as const }
    const ask = controller.url.startsWith('https:') ? httpsRequest : httpRequest
    const sent = ask(new URL(path, controller.url), options, (response) => {
      seen.status = response.statusCode
      res.writeHead(response.statusCode ?? 502, response.headers)
      res.flushHeaders()
      response.on('data', (chunk: Buffer) => {
        seen.answer = Buffer.concat([seen.answer, chunk])
        res.write(chunk)
      })
      response.on('close', () => res.end())
    })
    sent.on('error', () => res.destroy())
    res.on('close', () => sent.destroy())
    sent.end(body)
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: RecordingProxy = {
    url: `${identity === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recorded,
    tamper: undefined,
    send: async (to, request) => {
      let answer = { status: 0, text: '' }
      await toController(to, request, (status, chunk) => {
        answer = { status, text: answer.text + (chunk?.toString('latin1') ?? '') }
      })
      return answer
    },
    everything: () =>
      recorded
        .map(({ path, headers, body, answer }) =>
          [path, JSON.stringify(headers), body.toString('latin1'), answer.toString('latin1')].join(
            '\n',
          ),
        )
        .join('\n'),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
  return proxy
}
