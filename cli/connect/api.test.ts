import { getEventListeners, once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { isAbort } from '../../src/kernel/errors.ts'
import { createApi, type KubeApi } from './api.ts'
import { servedKind } from '../output/kinds.ts'
import { followObject } from '../objects/follow.ts'

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** Of a server that asks for patience so often, each time with this header, before it answers. */
const patient = async (
  times: number,
  retryAfter: string,
): Promise<{ api: KubeApi; asked: () => number; slept: number[] }> => {
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

/** Of a server that says just this of a watch, and ends it only where told. */
const watched = async (
  answer: (response: http.ServerResponse, isWatch: boolean) => void,
): Promise<{ api: KubeApi; closed: () => number }> => {
  let closed = 0
  const server = http.createServer((request, response) => {
    response.once('close', () => closed++)
    answer(response, new URL(request.url ?? '', 'http://x').searchParams.get('watch') === 'true')
  })
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const deps = { server: `http://127.0.0.1:${port}`, namespace: 'default' }
  return {
    api: createApi({ ...deps, options: () => Promise.resolve({}) }),
    closed: () => closed,
  }
}

const ref = { kind: servedKind('Project'), namespace: 'default', name: 'shop' }
const emptyList = '{"metadata":{"resourceVersion":"1"},"items":[]}'
/** The time of the test is the limit. */
const unlimited = new AbortController().signal

it.each([
  ['neither a list nor a watch', (): void => undefined],
  [
    'no watch',
    (response: http.ServerResponse, isWatch: boolean): void => {
      if (!isWatch) response.end(emptyList)
    },
  ],
  [
    'no event',
    (response: http.ServerResponse, isWatch: boolean): void => {
      if (isWatch) response.writeHead(200).flushHeaders()
      else response.end(emptyList)
    },
  ],
])(
  'ends a wait in time where the server answers %s, and leaves nothing open',
  async (_, answer) => {
    const { api, closed } = await watched(answer)
    const asked = followObject(api, ref, () => false, { signal: AbortSignal.timeout(500) })
    expect(isAbort(await asked.catch((error: unknown) => error))).toBe(true)
    await expect.poll(closed).toBeGreaterThan(0)
  },
)

it('gives a question up that is never answered', async () => {
  const { api } = await watched(() => undefined)
  await expect(api.call('/api', { silentMs: 100 })).rejects.toThrow(
    /said nothing for 0.1 s.*Whether the request was carried out is not known/,
  )
})

it('follows many by one signal, and leaves nothing at it', async () => {
  const warned: Error[] = []
  const take = (warning: Error): number => warned.push(warning)
  process.on('warning', take)
  const { api } = await watched((response, isWatch) => {
    if (isWatch) setTimeout(() => response.end('{"type":"DELETED","object":{}}\n'), 20)
    else response.end('{"metadata":{},"items":[{"metadata":{"name":"shop"}}]}')
  })
  const { signal } = new AbortController()
  const isGone = (object: unknown): boolean => object === undefined
  await Promise.all(Array.from({ length: 20 }, () => followObject(api, ref, isGone, { signal })))
  process.off('warning', take)
  expect([warned, getEventListeners(signal, 'abort')]).toEqual([[], []])
})

it('asks a server again that is started anew meanwhile, and says so', async () => {
  const told: string[] = []
  let lists = 0
  const { api } = await watched((response, isWatch) => {
    // A question whose connection breaks is asked once more at once.
    if (isWatch || [2, 3].includes(++lists)) response.destroy()
    else if (lists === 4)
      response.writeHead(503).end('{"kind":"Status","reason":"ServiceUnavailable"}')
    else response.end(lists === 1 ? emptyList : '{"metadata":{},"items":[{"metadata":{}}]}')
  })
  const isThere = (object: unknown): boolean => object !== undefined
  await followObject(api, ref, isThere, { signal: unlimited, lost: (why) => told.push(why) })
  expect([lists, told]).toEqual([5, [expect.stringContaining('did not answer')]])
  lists = 1
  await expect(followObject(api, ref, isThere, { signal: unlimited })).rejects.toThrow(
    'did not answer',
  )
})

it('reads events however they are cut, and lists again where the server ends a watch', async () => {
  const seen: (string | undefined)[] = []
  let lists = 0
  const { api } = await watched((response, isWatch) => {
    if (!isWatch) {
      lists++
      response.end(emptyList)
    } else if (lists === 1) {
      response.writeHead(410).end('{"kind":"Status"}')
    } else {
      const line = (type: string, name: string): string =>
        `${JSON.stringify({ type, object: { metadata: { name } } })}\n`
      const text = `${line('ADDED', 'ä')}${line('BOOKMARK', 'b')}\n${line('MODIFIED', 'c')}`
      const bytes = Buffer.from(text)
      const cut = bytes.indexOf(Buffer.from('ä')) + 1
      response.write(bytes.subarray(0, cut))
      setTimeout(() => response.end(bytes.subarray(cut)), 20)
    }
  })
  await followObject(
    api,
    ref,
    (object) => {
      seen.push(object?.metadata.name)
      return object?.metadata.name === 'c'
    },
    { signal: unlimited },
  )
  expect([seen, lists]).toEqual([[undefined, undefined, 'ä', 'c'], 2])
})
