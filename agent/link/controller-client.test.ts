import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { agentPaths } from '../../src/protocol/messages.ts'
import { createControllerClient, type ControllerClient } from './controller-client.ts'
import type { RequestSigner } from './request-signer.ts'

const signer = {
  sign: () => ({ body: Buffer.from('sealed'), authorization: 'signed' }),
  inOrder: (_line: unknown, work: () => Promise<unknown>) => work(),
} as unknown as RequestSigner

interface Request {
  readonly path: string
  readonly socket: Socket
  readonly answer: () => void
}

const open: (() => void)[] = []
afterEach(() => open.splice(0).forEach((end) => end()))

/** A controller that answers heartbeats at once, and posts with a refusal when it is told to. */
const start = async (): Promise<{ client: ControllerClient; requests: Request[] }> => {
  const requests: Request[] = []
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { url: path = '', socket } = request
    const answer = (): void => void response.writeHead(path === agentPaths.sign ? 204 : 404).end()
    requests.push({ path, socket, answer })
    request.resume().once('end', () => path === agentPaths.sign && answer())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createControllerClient({ url, ca: undefined }, signer, 1)
  open.push(
    () => client.close(),
    () => server.close(),
  )
  return { client, requests }
}

const post = (client: ControllerClient): Promise<unknown> =>
  client.post({ path: agentPaths.report, body: {} }).catch((error: unknown) => error)
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a post takes the connection that heartbeats keep open', async () => {
  const { client, requests } = await start()
  const { signal } = new AbortController()
  await client.heartbeat('sign', signal)
  const posted = post(client)
  await until(() => requests.length === 2)
  requests[1]!.answer()
  expect(await posted).toMatchObject({ status: 404 })
  await client.heartbeat('sign', signal)
  expect(new Set(requests.map(({ socket }) => socket)).size).toBe(1)
})

test('a sign of life waits for no post, however many there are', async () => {
  const { client, requests } = await start()
  const posted = [post(client), post(client), post(client)]
  await until(() => requests.length === 1)
  await client.heartbeat('sign', new AbortController().signal)
  expect(requests.map(({ path }) => path)).toEqual([agentPaths.report, agentPaths.sign])
  for (const count of [3, 4, 5]) {
    requests.at(count === 3 ? 0 : -1)!.answer()
    if (count < 5) await until(() => requests.length === count)
  }
  expect(await Promise.all(posted)).toMatchObject(posted.map(() => ({ status: 404 })))
})
