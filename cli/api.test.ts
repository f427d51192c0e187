import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createApi, type Api } from './api.ts'

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Of a server that asks for patience so often, each time with this header, before it answers. */
const patient = async (
  times: number,
  retryAfter: string,
): Promise<{ api: Api; asked: () => number; slept: number[] }> => {
  let asked = 0
  const slept: number[] = []
  const server = http.createServer((_, response) => {
    asked++
    if (asked > times) return response.end('{"items":[]}')
    response.writeHead(429, { 'retry-after': retryAfter })
    return response.end(
      '{"kind":"Status","reason":"TooManyRequests","message":"storage is (re)initializing"}',
    )
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const deps = {
    server: `http://127.0.0.1:${port}`,
    namespace: 'default',
    options: () => Promise.resolve({}),
    watch: { watch: () => Promise.reject(new Error('not used')) },
  }
  const sleep = (ms: number): Promise<void> => {
    slept.push(ms)
    return Promise.resolve()
  }
  return { api: createApi(deps, { sleep }), asked: () => asked, slept }
}

it('waits as long as the server says, as a cluster does of a kind that it has just got', async () => {
  const { api, asked, slept } = await patient(2, '1')
  expect(await api.call('/apis/stagely.dev/v1alpha1/projects')).toEqual({ items: [] })
  expect([asked(), slept]).toEqual([3, [1000, 1000]])
})

it.each([
  ['for ever', 99, '1', 4],
  ['for minutes', 1, '900', 1],
])('does not wait %s', async (_, times, retryAfter, tries) => {
  const { api, asked } = await patient(times, retryAfter)
  await expect(api.call('/api')).rejects.toMatchObject({
    reason: 'TooManyRequests',
    message: 'storage is (re)initializing',
  })
  expect(asked()).toBe(tries)
})
