import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
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
  await client.post('/before', {})
  server.once('connection', () => (mayWrite = false))
  const late = client.patch('/late', {}, 'application/merge-patch+json')
  await expect(late).rejects.toMatchObject({ reason: 'Conflict' })
  await client.get('/read')
  expect(asked).toEqual(['POST /before', 'GET /read'])
})

test('what is under way ends with its source', async () => {
  const slow = client.post('/slow', {})
  await expect.poll(() => asked).toEqual(['POST /slow'])
  stopping.abort()
  await expect(slow).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
})
