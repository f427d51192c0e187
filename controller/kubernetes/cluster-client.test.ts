import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { KubeConfig } from '@kubernetes/client-node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClusterClient, type ClusterClient } from './cluster-client.ts'

let server: Server
let asked: string[]
let mayWrite: boolean
let stopping: AbortController
let client: ClusterClient

beforeEach(async () => {
  asked = []
  mayWrite = true
  stopping = new AbortController()
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`)
    if (request.url?.startsWith('/slow') !== true) response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'test', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'admin' },
  )
  client = createClusterClient({
    kubeConfig: () => config,
    mayWrite: () => mayWrite,
    signal: stopping.signal,
  })
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

test('a write leaves the process only while it may, as asked once the connection stands', async () => {
  server.once('connection', () => (mayWrite = false))
  const late = client.patch('/late', {}, 'application/merge-patch+json')
  await expect(late).rejects.toMatchObject({ reason: 'Conflict' })
  await client.get('/read')
  mayWrite = true
  await client.post('/after', {})
  expect(asked).toEqual(['GET /read', 'POST /after'])
})

test('what is under way ends with its source', async () => {
  const slow = client.post('/slow', {})
  await expect.poll(() => asked).toEqual(['POST /slow'])
  stopping.abort()
  await expect(slow).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
})

test('a connection serves one request after the other, until the source ends', async () => {
  let connections = 0
  const ends: Promise<unknown>[] = []
  server.on('connection', (socket: Socket) => {
    connections++
    ends.push(once(socket, 'close'))
  })
  await client.get('/one')
  await client.post('/two', {})
  await client.get('/three')
  expect(connections).toBe(1)
  mayWrite = false
  await expect(client.post('/four', {})).rejects.toMatchObject({ reason: 'Conflict' })
  expect(asked).toEqual(['GET /one', 'POST /two', 'GET /three'])
  await client.get('/five')
  stopping.abort()
  await Promise.all(ends)
})
